//! AWS Signature Version 4, as AWS documents it; its published vectors are the test.

use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use ring::{digest, hmac};

use super::sensitive;
use crate::channel::Draft;
use crate::outcome::NotSent;
use crate::secret::Secret;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What AWS leaves as it is: the unreserved characters of RFC 3986.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same for a path, whose slashes stay.
const PATH: &AsciiSet = &PLAIN.remove(b'/');

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// An access key, and for which service and region it signs.
pub struct SigV4 {
    /// The public part, `AKIA…`.
    pub access_key: String,
    /// The secret part.
    pub secret_key: Secret,
    /// The token of temporary credentials.
    pub session_token: Option<Secret>,
    /// `eu-north-1`.
    pub region: String,
    /// `execute-api`, `s3`, `ses` …
    pub service: String,
}

/// A request in the form that is signed.
struct Canonical {
    text: String,
    signed: String,
}

/// A moment in the two forms that are signed.
struct Moment {
    day: String,
    whole: String,
}

impl SigV4 {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !plain(&self.access_key) || !plain(&self.region) || !plain(&self.service) {
            return Err("access key, region and service are letters, digits and hyphens");
        }
        let token = self.session_token.as_ref().is_none_or(Secret::fits_a_header);
        if !self.secret_key.fits_a_header() || !token {
            return Err("a secret of the access key isn't one line of visible ASCII; set it again");
        }
        Ok(())
    }

    /// Signs a request as it will be sent at `now`. AWS takes it for five minutes.
    pub(super) fn sign(&self, draft: &mut Draft, now: SystemTime) -> Result<(), NotSent> {
        let bad = || NotSent::Credential("the request can't be signed");
        let moment = Moment::of(now).ok_or_else(bad)?;
        let payload = HEXLOWER.encode(digest::digest(&digest::SHA256, &draft.body).as_ref());
        draft.headers.insert(DATE, HeaderValue::from_str(&moment.whole).map_err(|_| bad())?);
        if let Some(token) = &self.session_token {
            draft.headers.insert(TOKEN, sensitive(token.expose())?);
        }
        if self.service == "s3" {
            draft.headers.insert(CONTENT, HeaderValue::from_str(&payload).map_err(|_| bad())?);
        }
        let mut headers = vec![(HOST.as_str().to_owned(), draft.place.authority())];
        for name in [&CONTENT_TYPE, &DATE, &TOKEN, &CONTENT] {
            if let Some(value) = draft.headers.get(name) {
                headers.push((name.as_str().to_owned(), value.to_str().map_err(|_| bad())?.to_owned()));
            }
        }
        let query = draft.place.query().unwrap_or_default();
        let path = draft.place.path();
        let canonical =
            Canonical::of(draft.method.as_str(), &self.canonical_path(path), query, &headers, &payload);
        let value = self.authorization(&canonical, &moment);
        // It holds no secret, but it is good for five minutes.
        draft.headers.insert(AUTHORIZATION, sensitive(&value)?);
        Ok(())
    }

    fn canonical_path(&self, path: &str) -> String {
        // S3 signs the path as it is sent; the other services a normalised one, encoded once more.
        if self.service == "s3" { path.to_owned() } else { encode_path(&normalise(path)) }
    }

    fn scope(&self, moment: &Moment) -> String {
        format!("{}/{}/{}/aws4_request", moment.day, self.region, self.service)
    }

    fn to_sign(&self, canonical: &Canonical, moment: &Moment) -> String {
        let digest = digest::digest(&digest::SHA256, canonical.text.as_bytes());
        let digest = HEXLOWER.encode(digest.as_ref());
        format!("{ALGORITHM}\n{}\n{}\n{digest}", moment.whole, self.scope(moment))
    }

    fn authorization(&self, canonical: &Canonical, moment: &Moment) -> String {
        let mut key = format!("AWS4{}", self.secret_key.expose()).into_bytes();
        for part in [moment.day.as_str(), &self.region, &self.service, "aws4_request"] {
            key = mac(&key, part.as_bytes());
        }
        let signature = HEXLOWER.encode(&mac(&key, self.to_sign(canonical, moment).as_bytes()));
        let scope = self.scope(moment);
        let (access, signed) = (&self.access_key, &canonical.signed);
        format!("{ALGORITHM} Credential={access}/{scope}, SignedHeaders={signed}, Signature={signature}")
    }
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref().to_vec()
}

impl Canonical {
    /// `path` is canonical; query and headers are as they are sent.
    fn of(method: &str, path: &str, query: &str, headers: &[(String, String)], payload: &str) -> Canonical {
        let mut lines: Vec<(String, String)> = Vec::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            match lines.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => *values = format!("{values},{value}"),
                None => lines.push((name, value)),
            }
        }
        lines.sort();
        let signed = lines.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String = lines.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let query = canonical_query(query);
        let text = format!("{method}\n{path}\n{query}\n{lines}\n{signed}\n{payload}");
        Canonical { text, signed }
    }
}

/// Each part encoded in one way, sorted by name and value.
fn canonical_query(query: &str) -> String {
    let encode = |text: &str| {
        let raw: Vec<u8> = percent_decode_str(text).collect();
        percent_encode(&raw, PLAIN).to_string()
    };
    let mut parts: Vec<(String, String)> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    parts.sort();
    parts.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Without empty, `.` and `..` segments (RFC 3986, 6.2.2.3).
fn normalise(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let end = if path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

fn encode_path(path: &str) -> String {
    percent_encode(path.as_bytes(), PATH).to_string()
}

impl Moment {
    fn of(now: SystemTime) -> Option<Moment> {
        let seconds = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
        let (days, rest) = (i64::try_from(seconds / 86_400).ok()?, seconds % 86_400);
        let (year, month, day) = civil(days);
        let day = format!("{year:04}{month:02}{day:02}");
        let whole = format!("{day}T{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60);
        Some(Moment { day, whole })
    }
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar: days are counted from a 1st
/// of March, so that the leap day is a year's last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, Method};
    use serde_json::Value;

    use super::*;
    use crate::base::Base;

    /// The key of AWS's vectors.
    fn keys(token: Option<&str>) -> SigV4 {
        SigV4 {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: token.map(|token| Secret::new(token.to_owned())),
            region: "us-east-1".to_owned(),
            service: "service".to_owned(),
        }
    }

    fn moment() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_440_938_160)
    }

    #[test]
    fn aws_s_vectors() {
        let file: Value = serde_json::from_str(include_str!("../../fixtures/sigv4.json")).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        let mut checked = 0;
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let name = text("name");
            let (head, body) = text("request").split_once("\n\n").unwrap_or((text("request"), ""));
            let mut lines = head.lines();
            let line = lines.next().unwrap();
            let (method, rest) = line.split_once(' ').unwrap();
            let uri = rest.strip_suffix(" HTTP/1.1").unwrap();
            let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
            let mut headers: Vec<(String, String)> = Vec::new();
            for line in lines {
                match line.split_once(':') {
                    Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
                    // A folded line is one more value in AWS's reading.
                    None => {
                        let name = headers.last().unwrap().0.clone();
                        headers.push((name, line.to_owned()));
                    }
                }
            }
            let keys = keys(None);
            let payload = HEXLOWER.encode(digest::digest(&digest::SHA256, body.as_bytes()).as_ref());
            let canonical = Canonical::of(method, &keys.canonical_path(path), query, &headers, &payload);
            assert_eq!(canonical.text, text("canonical"), "{name}");
            let moment = Moment::of(moment()).unwrap();
            assert_eq!(keys.to_sign(&canonical, &moment), text("to_sign"), "{name}");
            assert_eq!(keys.authorization(&canonical, &moment), text("authorization"), "{name}");
            checked += 1;
        }
        assert_eq!(checked, 31);
    }

    fn draft(method: Method, url: &str, path: &str, body: &str) -> Draft {
        let place = Base::parse(url).unwrap().join(path, &[]).unwrap();
        Draft { method, place, headers: HeaderMap::new(), body: Bytes::from(body.to_owned()) }
    }

    /// The vectors again, through the function that signs requests.
    #[test]
    fn a_request_is_signed_as_the_vectors_say() {
        let mut plain = draft(Method::GET, "https://example.amazonaws.com/", "", "");
        keys(None).sign(&mut plain, moment()).unwrap();
        let value = plain.headers[AUTHORIZATION].to_str().unwrap();
        assert!(
            value.ends_with("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            "{value}"
        );
        assert!(plain.headers[AUTHORIZATION].is_sensitive());
        // Of vector post-sts-header-before.
        let file: Value = serde_json::from_str(include_str!("../../fixtures/sigv4.json")).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        let vector =
            vectors.iter().find(|vector| vector["name"] == "post-sts-token/post-sts-header-before").unwrap();
        let request = vector["request"].as_str().unwrap();
        let token = request.lines().find_map(|line| line.strip_prefix("X-Amz-Security-Token:")).unwrap();
        let mut with_token = draft(Method::POST, "https://example.amazonaws.com/", "", "");
        keys(Some(token)).sign(&mut with_token, moment()).unwrap();
        let value = with_token.headers[AUTHORIZATION].to_str().unwrap();
        assert_eq!(value, vector["authorization"].as_str().unwrap());
        assert!(with_token.headers[TOKEN].is_sensitive());
    }

    #[test]
    fn s3_signs_the_path_as_it_is_sent() {
        let mut keys = keys(None);
        assert_eq!(keys.canonical_path("/a%20b//c"), "/a%2520b/c");
        keys.service = "s3".to_owned();
        assert_eq!(keys.canonical_path("/a%20b//c"), "/a%20b//c");
        let mut put = draft(Method::PUT, "https://bucket.s3.amazonaws.com/", "a%20b", "text");
        keys.sign(&mut put, moment()).unwrap();
        assert!(put.headers.contains_key(CONTENT));
        let value = put.headers[AUTHORIZATION].to_str().unwrap();
        assert!(value.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"), "{value}");
    }

    #[test]
    fn days_have_their_dates() {
        for (days, date) in
            [(0, (1970, 1, 1)), (59, (1970, 3, 1)), (11_016, (2000, 2, 29)), (16_677, (2015, 8, 30))]
        {
            assert_eq!(civil(days), date);
        }
        assert_eq!(civil(24_836), (2037, 12, 31));
        assert_eq!(Moment::of(moment()).unwrap().whole, "20150830T123600Z");
    }
}

//! What is taken of each text, and what a manifest may say of an endpoint.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::Manifest;

/// The error of a text, or what it became.
fn read<T: std::str::FromStr<Err: ToString> + ToString>(text: &str) -> Result<String, String> {
    text.parse::<T>().map(|it| it.to_string()).map_err(|error| error.to_string())
}

fn taken<T: std::str::FromStr<Err: ToString> + ToString>(cases: &[(&str, &str)]) {
    for (text, is) in cases {
        assert_eq!(read::<T>(text).as_deref(), Ok(*is), "{text:?}");
        // What is written is read as the same.
        assert_eq!(read::<T>(is).as_deref(), Ok(*is), "{is:?}");
    }
}

/// Each is refused, with a message that has these words and isn't long.
fn refused<T: std::str::FromStr<Err: ToString> + ToString>(cases: &[(&str, &str)]) {
    for (text, named) in cases {
        let error = read::<T>(text).expect_err(text);
        assert!(error.contains(named), "{text:?}: {error}");
        assert!(error.len() < 400 && !error.chars().any(char::is_control), "{text:?}: {error:?}");
    }
}

#[test]
fn a_duration_has_one_text() {
    taken::<Span>(&[
        ("30s", "30s"),
        ("30 s", "30s"),
        ("90s", "90s"),
        ("60s", "1min"),
        ("120s", "2min"),
        ("3600s", "1h"),
        ("24h", "24h"),
        ("007s", "7s"),
    ]);
    refused::<Span>(&[
        ("", "30s"),
        ("30", "unit is missing"),
        ("s", "whole number"),
        ("0s", "longer than nothing"),
        ("-1s", "whole number"),
        ("+1s", "whole number"),
        ("1.5s", "30s"),
        ("1e3s", "30s"),
        ("2m", "2min"),
        ("500ms", "a second"),
        ("30S", "s, min and h"),
        ("30  s", "s, min and h"),
        (" 30s", "whole number"),
        ("30s ", "s, min and h"),
        ("1d", "s, min and h"),
        ("99999999999999999999s", "whole number"),
        ("\u{663}s", "whole number"),
        ("30s\0", "s, min and h"),
        ("30s\n", "s, min and h"),
    ]);
}

#[test]
fn a_size_has_one_text() {
    taken::<Size>(&[
        ("64 KiB", "64 KiB"),
        ("64KiB", "64 KiB"),
        ("65536 B", "64 KiB"),
        ("1024 KiB", "1 MiB"),
        ("1000 B", "1000 B"),
    ]);
    refused::<Size>(&[
        ("", "64 KiB"),
        ("64", "unit is missing"),
        ("64 kB", "KiB"),
        ("64 KB", "KiB"),
        ("1 MB", "MiB"),
        ("1 GiB", "B, KiB and MiB"),
        ("0 B", "larger than nothing"),
        ("-1 B", "whole number"),
        ("1.5 MiB", "64 KiB"),
        ("9999999999 B", "whole number"),
        ("64\u{a0}KiB", "64 KiB"),
    ]);
}

#[test]
fn a_rate_has_one_text_and_bounds() {
    taken::<Rate>(&[
        ("100 per 10s", "100 per 10s"),
        ("10000 per 24h", "10000 per 24h"),
        ("60 per 60s", "60 per 1min"),
        ("1 per 1s", "1 per 1s"),
    ]);
    refused::<Rate>(&[
        ("", "100 per 10s"),
        ("100", "100 per 10s"),
        ("100/s", "100 per 10s"),
        ("100 per", "100 per 10s"),
        ("100 per second", "whole number"),
        ("0 per 1s", "1 to 10000"),
        ("10001 per 1s", "1 to 10000"),
        ("1 per 0s", "longer than nothing"),
        ("1 per 25h", "24h at the most"),
        ("1x per 1s", "100 per 10s"),
        ("1 per 1s per 1s", "s, min and h"),
    ]);
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    assert!(
        rate("100 per 10s").exceeds(rate("99 per 10s")) && rate("2 per 1s").exceeds(rate("100 per 1min"))
    );
    assert!(!rate("600 per 1min").exceeds(rate("10 per 1s")));
}

#[test]
fn a_base_url_is_what_a_browser_makes_of_it_and_nothing_can_hide_in_it() {
    taken::<BaseUrl>(&[
        ("https://api.example.com", "https://api.example.com/"),
        ("https://api.example.com/v3", "https://api.example.com/v3/"),
        ("HTTPS://API.Example.com:443/v3/", "https://api.example.com/v3/"),
        ("http://10.2.0.5:8080/x/", "http://10.2.0.5:8080/x/"),
        ("https://0x7f.1/", "https://127.0.0.1/"),
        ("https://2130706433/", "https://127.0.0.1/"),
        ("https://[::1]:8443/a", "https://[::1]:8443/a/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://a.example/%C3%A5/", "https://a.example/%C3%A5/"),
        ("https://a.example/@me", "https://a.example/@me/"),
    ]);
    refused::<BaseUrl>(&[
        ("", "https://"),
        ("api.example.com", "https://"),
        ("ftp://a.example/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("javascript:alert(1)", "https://"),
        ("https:a.example", "https://"),
        ("https:///a.example", "https://"),
        ("https://", "host"),
        ("https://user:hunter2@a.example/", "user or password"),
        ("https://@a.example/", "user or password"),
        ("https://a.example/?key=1", "query or fragment"),
        ("https://a.example/?", "query or fragment"),
        ("https://a.example/#x", "query or fragment"),
        ("https://a.example/v1/../v2/", "."),
        ("https://a.example/v1/%2e%2E/v2/", "."),
        ("https://a.example/.", "."),
        ("https://a.example\\@b.example/", "backslash"),
        ("https://a.exa\tmple/", "control character"),
        ("https://a.example/\r\nHost: b", "control character"),
        ("https://a.example/ x", "space"),
        (" https://a.example/", "space"),
        ("https://a.example\0/", "control character"),
        ("https://a.example:0/", "port 0"),
        ("https://a.example:99999/", "port"),
        ("https://1.2.3.4.5/", "IPv4"),
        ("https://[::1/", "IPv6"),
        ("https://a b/", "space"),
        ("https://a<b/", "domain"),
    ]);
    refused::<BaseUrl>(&[(&format!("https://a.example/{}", "x".repeat(2048)), "2048")]);
    let secret = read::<BaseUrl>("https://user:hunter2@a.example/").unwrap_err();
    assert!(!secret.contains("hunter2") && !secret.contains("user:"), "{secret}");
    let base: BaseUrl = "https://API.example.com./".parse().unwrap();
    assert_eq!((base.domain(), base.address()), (Some("api.example.com"), None));
    let mapped: BaseUrl = "https://[::ffff:10.0.0.1]/".parse().unwrap();
    assert_eq!(mapped.address(), Some(IpAddr::from([10, 0, 0, 1])));
}

#[test]
fn a_network_is_its_first_address_and_a_prefix() {
    taken::<Network>(&[
        ("10.2.0.0/16", "10.2.0.0/16"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("10.2.0.5", "10.2.0.5/32"),
        ("::1", "::1/128"),
        ("::/0", "::/0"),
        ("FD00::/8", "fd00::/8"),
    ]);
    refused::<Network>(&[
        ("", "10.2.0.0/16"),
        ("10.2.0.0/33", "10.2.0.0/16"),
        ("10.2.0.0/-1", "10.2.0.0/16"),
        ("10.2.0.0/+8", "10.2.0.0/16"),
        ("10.2.0.0/", "10.2.0.0/16"),
        ("10.2.0.0/8/8", "10.2.0.0/16"),
        ("10.2.3.4/16", "10.2.0.0/16"),
        ("010.2.0.0/16", "10.2.0.0/16"),
        ("10.2/16", "10.2.0.0/16"),
        ("0x0a.0.0.0/8", "10.2.0.0/16"),
        ("fe80::1%eth0/64", "10.2.0.0/16"),
        ("::ffff:10.0.0.0/104", "IPv4"),
        ("a.example/8", "10.2.0.0/16"),
        ("10.2.0.0/16 ", "10.2.0.0/16"),
    ]);
    let network = |text: &str| text.parse::<Network>().unwrap();
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    assert!(network("10.2.0.0/16").contains(address("10.2.255.255")));
    assert!(network("10.2.0.0/16").contains(address("::ffff:10.2.0.1")));
    assert!(!network("10.2.0.0/16").contains(address("10.3.0.0")));
    assert!(!network("0.0.0.0/0").contains(address("::1")) && !network("::/0").contains(address("1.1.1.1")));
    assert!(network("10.0.0.0/8").covers(network("10.2.0.0/16")));
    assert!(!network("10.2.0.0/16").covers(network("10.0.0.0/8")));
    assert!(network("10.2.0.0/16").overlaps(network("10.0.0.0/8")));
    assert!(!network("10.2.0.0/16").overlaps(network("fd00::/8")));
}

#[test]
fn a_header_is_a_token_and_not_the_hosts_own() {
    taken::<HeaderName>(&[
        ("X-Api-Key", "X-Api-Key"),
        ("Authorization", "Authorization"),
        ("idempotency-key", "idempotency-key"),
    ]);
    let long = "x".repeat(65);
    refused::<HeaderName>(&[
        ("", "letters"),
        ("X Api", "letters"),
        ("X-Api:", "letters"),
        ("X-Api\r\nHost", "letters"),
        ("X\u{e5}", "letters"),
        (&long, "64 bytes"),
        ("Host", "itself"),
        ("CONTENT-LENGTH", "itself"),
        ("Cookie", "itself"),
        ("Proxy-Authorization", "itself"),
        ("transfer-encoding", "itself"),
    ]);
    assert_eq!("X-KEY".parse::<HeaderName>(), "x-key".parse::<HeaderName>());
}

proptest! {
    /// Nobody's text makes the host panic, and what is taken is written as it is read again.
    #[test]
    fn whatever_is_taken_is_read_as_it_is_written(text in "\\PC{0,40}") {
        for read in [read::<Span>, read::<Size>, read::<Rate>, read::<BaseUrl>, read::<Network>, read::<HeaderName>] {
            if let Ok(written) = read(&text) {
                prop_assert_eq!(read(&written), Ok(written));
            }
        }
    }

    #[test]
    fn every_amount_survives_its_text(seconds in 1_u64..1_000_000, bytes in 1_u64..1_000_000, count in 1_u32..=RATE_COUNT_MAX) {
        let span = Span::seconds(seconds);
        prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
        let size: Size = format!("{bytes} B").parse().unwrap();
        prop_assert_eq!((size.as_bytes(), size.to_string().parse::<Size>()), (bytes, Ok(size)));
        let rate: Rate = format!("{count} per {}", Span::seconds(seconds % 86_400 + 1)).parse().unwrap();
        prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate));
    }

    #[test]
    fn a_network_holds_what_starts_like_it(address in any::<[u8; 4]>(), other in any::<[u8; 4]>(), prefix in 0_u8..=32) {
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        let (address, other) = (u32::from_be_bytes(address), u32::from_be_bytes(other));
        let network: Network = format!("{}/{prefix}", std::net::Ipv4Addr::from(address & mask)).parse().unwrap();
        prop_assert_eq!(network.contains(IpAddr::V4(other.into())), address & mask == other & mask);
    }
}

const HEAD: &str = "manifest = 1\n[plugin]\nname = \"sync\"\nversion = \"1\"\nowner = \"Members\"\ndescription = \"Tells\"\n";

fn manifest(calls: &str) -> Result<Manifest, String> {
    Manifest::parse(&format!("{HEAD}{calls}")).map_err(|error| error.to_string())
}

#[test]
fn what_a_manifest_says_of_an_endpoint_has_defaults() {
    let least = manifest("[calls.members]\nreason = \"Tiers\"\nmethods = [\"GET\", \"HEAD\"]\n").unwrap();
    let call = &least.calls["members"];
    assert_eq!((call.repeat(), call.reaches, call.parallel()), (Repeat::Safe, Reaches::Systems, 4));
    assert_eq!((call.timeout().to_string(), call.answer_max().to_string()), ("30s".into(), "64 KiB".into()));
    let once = manifest("[calls.members]\nreason = \"Tiers\"\nmethods = [\"GET\", \"POST\"]\n").unwrap();
    assert_eq!(once.calls["members"].repeat(), Repeat::Once);
    let whole = manifest(
        "[calls.crm]\nreason = \"Orders\"\nurl = \"https://api.example.com/v3\"\nmethods = [\"GET\", \"POST\", \"PATCH\"]\n\
         auth = { header = \"X-Api-Key\" }\nrepeat = \"keyed\"\nkey = { header = \"Idempotency-Key\", hours = 24 }\n\
         reaches = \"systems\"\nrate = \"100 per 10s\"\nparallel = 64\ntimeout = \"2min\"\nanswer_max = \"1 KiB\"\n",
    )
    .unwrap();
    let call = &whole.calls["crm"];
    assert_eq!(call.url.as_ref().unwrap().as_str(), "https://api.example.com/v3/");
    assert_eq!(call.auth, Some(AuthKind::Header("x-api-key".parse().unwrap())));
    assert!(manifest("").unwrap().calls.is_empty());
    let customers =
        "[calls.sms]\nreason = \"Texts\"\nmethods = [\"POST\"]\nreaches = \"customers\"\nauth = \"basic\"\n";
    assert_eq!(manifest(customers).unwrap().calls["sms"].reaches, Reaches::Customers);
}

#[test]
fn each_mistake_in_an_endpoint_is_named_with_its_limit() {
    let call =
        |lines: &str| manifest(&format!("[calls.crm]\nreason = \"x\"\nmethods = [\"POST\"]\n{lines}\n"));
    for (lines, named) in [
        ("parallel = 0", "1 to 64"),
        ("parallel = 65", "1 to 64"),
        ("parallel = -1", "parallel"),
        ("timeout = \"121s\"", "1s to 2min"),
        ("timeout = \"0s\"", "longer than nothing"),
        ("timeout = 30", "timeout"),
        ("answer_max = \"65 KiB\"", "64 KiB at the most"),
        ("rate = \"100 per 10m\"", "min"),
        ("repeat = \"keyed\"", "needs a key"),
        ("repeat = \"often\"", "often"),
        ("key = { header = \"K\", hours = 24 }", "allowed for repeat"),
        ("repeat = \"keyed\"\nkey = { header = \"K\", hours = 1 }", "2 to 720"),
        ("repeat = \"keyed\"\nkey = { header = \"K\", hours = 721 }", "2 to 720"),
        ("repeat = \"keyed\"\nkey = { header = \"Authorization\", hours = 24 }", "another"),
        ("repeat = \"keyed\"\nkey = { header = \"Host\", hours = 24 }", "itself"),
        ("repeat = \"keyed\"\nkey = { header = \"K\", hours = 24, again = true }", "again"),
        ("reaches = \"everybody\"", "everybody"),
        ("auth = \"magic\"", "magic"),
        ("auth = { header = \"a b\" }", "letters"),
        ("url = \"https://u:p@a.example/\"", "user or password"),
        ("urls = \"https://a.example/\"", "urls"),
    ] {
        let error = call(lines).expect_err(lines);
        assert!(error.contains(named), "{lines}: {error}");
    }
    for (calls, named) in [
        ("[calls.crm]\nmethods = [\"POST\"]\n", "reason"),
        ("[calls.crm]\nreason = \" \"\nmethods = [\"POST\"]\n", "[calls.crm] reason"),
        ("[calls.crm]\nreason = \"a\\nb\"\nmethods = [\"POST\"]\n", "[calls.crm] reason"),
        ("[calls.crm]\nreason = \"x\"\n", "methods"),
        ("[calls.crm]\nreason = \"x\"\nmethods = []\n", "methods is empty"),
        ("[calls.crm]\nreason = \"x\"\nmethods = [\"GET\", \"GET\"]\n", "twice"),
        ("[calls.crm]\nreason = \"x\"\nmethods = [\"get\"]\n", "get"),
        ("[calls.crm]\nreason = \"x\"\nmethods = [\"CONNECT\"]\n", "CONNECT"),
        ("[calls.Crm]\nreason = \"x\"\nmethods = [\"GET\"]\n", "Crm"),
    ] {
        let error = manifest(calls).expect_err(calls);
        assert!(error.contains(named), "{calls}: {error}");
    }
    let many: String =
        (0..33).map(|at| format!("[calls.e{at}]\nreason = \"x\"\nmethods = [\"GET\"]\n")).collect();
    assert!(manifest(&many).unwrap_err().contains("the limit is 32"));
}

#[test]
fn a_request_is_wider_by_a_method_a_class_or_customers() {
    let call = |lines: &str| {
        manifest(&format!("[calls.crm]\nreason = \"x\"\n{lines}\n")).unwrap().calls["crm"].clone()
    };
    let before = call("methods = [\"POST\"]\nrepeat = \"probe\"");
    for (lines, wider) in [
        ("methods = [\"POST\"]\nrepeat = \"probe\"\nparallel = 9", false),
        ("methods = [\"POST\"]\nrepeat = \"once\"", false),
        ("methods = [\"POST\", \"GET\"]\nrepeat = \"probe\"", true),
        ("methods = [\"POST\"]\nrepeat = \"safe\"", true),
        ("methods = [\"POST\"]\nrepeat = \"keyed\"\nkey = { header = \"K\", hours = 24 }", true),
        ("methods = [\"POST\"]\nrepeat = \"probe\"\nreaches = \"customers\"", true),
    ] {
        assert_eq!(call(lines).is_wider_than(&before), wider, "{lines}");
    }
}

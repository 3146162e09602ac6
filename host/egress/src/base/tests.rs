use proptest::prelude::*;

use percent_encoding::percent_decode_str;
use samsyn_contract::calls::PATH_DECODINGS as DECODINGS;

use super::*;

fn base(text: &str) -> Base {
    Base::parse(text).unwrap()
}

fn join(path: &str) -> Result<String, BadPlace> {
    base("https://api.example.com/v3/").join(path, &[]).map(|place| place.as_str().to_owned())
}

#[test]
fn a_path_is_appended() {
    for (path, url) in [
        ("", "https://api.example.com/v3/"),
        ("/", "https://api.example.com/v3/"),
        ("contacts", "https://api.example.com/v3/contacts"),
        ("/contacts/17", "https://api.example.com/v3/contacts/17"),
        ("a//b/", "https://api.example.com/v3/a//b/"),
        ("group%2Fproject", "https://api.example.com/v3/group%2Fproject"),
        ("a:b@c;v=1,2", "https://api.example.com/v3/a:b@c;v=1,2"),
        ("...", "https://api.example.com/v3/..."),
        ("a..b", "https://api.example.com/v3/a..b"),
        ("caf%C3%A9", "https://api.example.com/v3/caf%C3%A9"),
    ] {
        assert_eq!(join(path).as_deref(), Ok(url), "{path}");
    }
    let bare = base("https://api.example.com/hook");
    assert_eq!(bare.join("", &[]).unwrap().as_str(), "https://api.example.com/hook");
    assert_eq!(bare.join("x", &[]).unwrap().as_str(), "https://api.example.com/hook/x");
}

#[test]
fn what_could_leave_the_base_is_refused() {
    for path in [
        "..",
        "../admin",
        "a/../../admin",
        "/..",
        "a/..",
        ".",
        "./a",
        "a/./b",
        "%2e%2e/admin",
        "%2E%2E",
        ".%2e/x",
        "%2e./x",
        "%2e",
        "a/%2e%2e%2fb",
        "..%2fadmin",
        "%2e%2e%2fadmin",
        "%252e%252e/admin",
        "%25252e%25252e/x",
        "..;/admin",
        "a/..;x=1/b",
        "%2e%2e;/x",
        "..%3b/x",
    ] {
        assert_eq!(join(path), Err(BadPlace::Leaves), "{path}");
    }
    for path in ["//evil.example", "//evil.example/x", "///x"] {
        assert_eq!(join(path), Err(BadPlace::Authority), "{path}");
    }
    for path in [
        "\\\\evil.example",
        "/\\evil",
        "a\\..\\b",
        "?x=1",
        "a?b",
        "#f",
        "a#b",
        "a b",
        "a\tb",
        "a\nb",
        "a\r\nb",
    ]
    .into_iter()
    .chain([
        "a\0b",
        "caf\u{e9}",
        "a\u{ff0f}..\u{ff0f}b",
        "\u{2024}\u{2024}/x",
        "a|b",
        "<x>",
        "{id}",
        "\u{7f}",
    ]) {
        assert_eq!(join(path), Err(BadPlace::Character), "{path:?}");
    }
    for path in
        ["%", "a%2", "a%zz", "%00", "a%0d%0ab", "%0a", "a%5c..%5cb", "%5C", "%250a", "%c0%0a", "%2525252541"]
    {
        assert_eq!(join(path), Err(BadPlace::Encoding), "{path}");
    }
    assert_eq!(join(&"a".repeat(URL_MAX)), Err(BadPlace::Long));
    // An absolute URL is a path with a colon, and stays below the base.
    assert_eq!(join("https:").as_deref(), Ok("https://api.example.com/v3/https:"));
    let absolute = join("http://evil.example/x");
    assert_eq!(absolute.as_deref(), Ok("https://api.example.com/v3/http://evil.example/x"));
}

#[test]
fn a_query_is_encoded() {
    let part = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let base = base("https://api.example.com/v3/");
    let place = base.join("x", &[part("a b", "1&2=3#?/"), part("é", "+"), part("empty", "")]).unwrap();
    assert_eq!(place.path_and_query(), "/v3/x?a%20b=1%262%3D3%23%3F%2F&%C3%A9=%2B&empty=");
    for bad in [part("a\r\n", "x"), part("a", "x\0"), part("a", "\n"), part("\u{85}", "")] {
        assert_eq!(base.join("x", &[bad]), Err(BadPlace::Query));
    }
    let many: Vec<_> = (0..=QUERY_MAX).map(|_| part("a", "b")).collect();
    assert_eq!(base.join("x", &many), Err(BadPlace::Query));
    assert_eq!(base.join("x", &[part("a", &"é".repeat(3000))]), Err(BadPlace::Long));
}

#[test]
fn a_base_is_exactly_what_it_says() {
    for (text, why) in [
        ("ftp://x.example/", "must begin"),
        ("//x.example/", "must begin"),
        ("https:x.example/", "must begin"),
        ("https:/x.example", "must begin"),
        ("javascript:alert(1)", "must begin"),
        ("https://user@x.example/", "user or password"),
        ("https://user:pw@x.example/", "user or password"),
        ("https://@x.example/", "user or password"),
        ("https://x.example/?a=1", "query"),
        ("https://x.example/?", "query"),
        ("https://x.example/#f", "query or fragment"),
        ("https://x.example:0/", "port 0"),
        ("https://x.example:99999/", "no URL"),
        ("https:///path", "no host"),
        ("https://", "no host"),
        ("https://x.example./", "ends with a dot"),
        ("https://localhost./", "ends with a dot"),
        ("https://b\u{fc}cher.example/", "non-ASCII"),
        ("https://x.example\u{3002}com/", "non-ASCII"),
        ("https://\u{ff11}27.0.0.1/", "non-ASCII"),
        ("https://x.ex\tample/", "control"),
        ("https://x.example/\n", "control"),
        ("https:\\\\x.example\\", "backslash"),
        ("https://x.example\\@y.example/", "backslash"),
        ("https://x.example/a/../b", "not what it seems"),
        ("https://x.example/a/%2e%2e/b", "not what it seems"),
        ("https://x.example/%5c", "not what it seems"),
        ("https://[fe80::1%25eth0]/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://x_y..example/", "no host name"),
        ("https://-x.example/", "no host name"),
        ("https://256.256.256.256/", "no URL"),
    ] {
        let refused = Base::parse(text).expect_err(text);
        assert!(refused.to_string().contains(why), "{text}: {refused}");
        assert!(!refused.to_string().contains("pw@"), "{refused}");
    }
    assert_eq!(base("HTTPS://API.Example.COM:443/V3").as_str(), "https://api.example.com/V3");
    assert_eq!(base("http://x.example:8080").authority(), "x.example:8080");
    assert_eq!(base("https://xn--bcher-kva.example/").authority(), "xn--bcher-kva.example");
}

#[test]
fn every_spelling_of_an_address_is_that_address() {
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    for text in
        ["127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1"]
            .into_iter()
            .chain(["0x7F.0.0.0x1", "127.0.0.1:8080", "%31%32%37.0.0.1"])
    {
        assert_eq!(base(&format!("http://{text}/")).host(), Destination::Address(loopback), "{text}");
    }
    for text in ["::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:7f00:0001"] {
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        assert_eq!(base(&format!("http://[{text}]/")).host(), Destination::Address(mapped), "{text}");
    }
    assert_eq!(base("http://0/").host(), Destination::Address("0.0.0.0".parse().unwrap()));
    assert_eq!(base("http://localhost/").host(), Destination::Name("localhost".to_owned()));
    assert_eq!(base("http://127.0.0.1.nip.io/").host(), Destination::Name("127.0.0.1.nip.io".to_owned()));
}

proptest! {
    /// Whatever is accepted stays below its base and at its authority, also after servers decoded it.
    #[test]
    fn accepted_stays_below(
        path in prop_oneof![
            "[a-z./%2e5cC;\\\\?#@:é \t-]{0,24}",
            "(\\.\\.|%2e|%2E|%252e|%5c|%2f|/|\\\\|;|a|\\.|//|@|:|\\?|#|%00|\u{2024}){0,12}",
            any::<String>(),
        ],
        query in proptest::collection::vec((any::<String>(), any::<String>()), 0..4),
    ) {
        for text in ["https://api.example.com/v3/", "http://10.0.0.1:81/hook", "https://api.example.com"] {
            let base = base(text);
            let Ok(place) = base.join(&path, &query) else { continue };
            let again = Url::parse(place.as_str()).unwrap();
            prop_assert_eq!(again.as_str(), place.as_str(), "it reads as it is written");
            prop_assert_eq!(authority_of(&again), base.authority());
            prop_assert_eq!(again.scheme(), base.url.scheme());
            prop_assert!(again.username().is_empty() && again.password().is_none());
            prop_assert!(again.fragment().is_none());
            prop_assert!(again.path().starts_with(base.url.path()));
            prop_assert!(place.as_str().len() <= URL_MAX);
            prop_assert!(place.as_str().bytes().all(|byte| (0x21..0x7F).contains(&byte)));
            let mut decoded = again.path().to_owned();
            for _ in 0..DECODINGS {
                let mut depth = 0_i64;
                for segment in decoded.split(['/', '\\']).skip(1) {
                    depth += match segment.split(';').next().unwrap() { ".." => -1, "" | "." => 0, _ => 1 };
                    prop_assert!(depth >= 0, "{}", decoded);
                }
                decoded = percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
            }
        }
    }
}

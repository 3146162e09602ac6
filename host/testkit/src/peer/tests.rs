use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

/// Sends these bytes and reads until the peer ends the connection.
fn say(peer: &Peer, request: &str) -> String {
    let mut stream = TcpStream::connect(peer.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn keyed(key: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: p\r\nIdempotency-Key: {key}\r\nContent-Length: 2\r\n\r\nhi")
}

fn closing() -> Act {
    Act { closes: true, ..Act::ok() }
}

fn peer(mode: Mode, dedupes: bool, ledger: Option<&Path>) -> Peer {
    let peer = Peer::with(Setup { mode, dedupes, ..Setup::default() }, ledger).unwrap();
    peer.always(closing());
    peer
}

#[test]
fn what_arrived_is_on_disk_before_it_is_answered_and_outlives_the_peer() {
    let folder = std::env::temp_dir().join(format!("samsyn-peer-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("ledger");
    let first = peer(Mode::Honest, true, Some(&file));
    assert!(say(&first, &keyed("k")).starts_with("HTTP/1.1 200"));
    let read = Ledger::read(&file).unwrap();
    assert_eq!(read, first.arrivals());
    assert_eq!(
        (read[0].method.as_str(), read[0].target.as_str(), read[0].text().as_str()),
        ("POST", "/x", "hi")
    );
    assert!(read[0].complete && read[0].effect && read[0].key.as_deref() == Some("k"));
    drop(first);
    // A crash cut the last line.
    let mut torn = std::fs::read(&file).unwrap();
    torn.extend_from_slice(b"{\"connection\":7,");
    std::fs::write(&file, torn).unwrap();
    let second = peer(Mode::Honest, true, Some(&file));
    assert!(say(&second, &keyed("k")).starts_with("HTTP/1.1 200"));
    let effects: Vec<bool> = Ledger::read(&file).unwrap().iter().map(|arrival| arrival.effect).collect();
    assert_eq!(effects, [true, false], "it knows the key across its restart");
    drop(second);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn who_takes_twice_and_who_loses_are_told_apart_from_an_honest_one() {
    for (mode, dedupes, arrivals, effects) in [
        (Mode::Honest, true, 2, 1),
        (Mode::Honest, false, 2, 2),
        (Mode::Twice, true, 4, 4),
        (Mode::Loses, true, 0, 0),
    ] {
        let peer = peer(mode, dedupes, None);
        for _ in 0..2 {
            assert!(say(&peer, &keyed("k")).starts_with("HTTP/1.1 200"), "{mode:?}");
        }
        let found = peer.arrivals();
        let with_effect = found.iter().filter(|arrival| arrival.effect).count();
        assert_eq!((found.len(), with_effect), (arrivals, effects), "{mode:?} {dedupes}");
    }
}

#[test]
fn it_cuts_where_it_was_told() {
    let peer = Peer::start();
    for at in 0..40 {
        peer.always(Act::cut_request(at, Cut::Close));
        assert_eq!(say(&peer, &keyed("k")), "");
        assert_eq!(peer.arrivals().last().unwrap().bytes, at);
        peer.always(Act::ok().cut_answer(at, Cut::Close));
        let whole = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        assert_eq!(say(&peer, &keyed("k")), &whole[..at]);
    }
    assert!(peer.arrivals().iter().all(|arrival| arrival.complete == arrival.effect));
}

#[test]
fn an_act_is_written_as_json() {
    let act: Act = serde_json::from_str(r#"{"late_ms": 5, "cut_answer_at": 3, "cut": "reset"}"#).unwrap();
    assert_eq!(act, Act { late_ms: 5, ..Act::ok().cut_answer(3, Cut::Reset) });
    assert!(serde_json::from_str::<Act>(r#"{"latems": 5}"#).is_err());
    let endless = Act::endless("a", "b");
    let again: Act = serde_json::from_str(&serde_json::to_string(&endless).unwrap()).unwrap();
    assert_eq!(again, endless);
}

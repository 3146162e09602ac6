//! Names that lead where they shouldn't, and resolvers that change their mind.

use std::sync::Arc;

use samsyn_testkit::peer::{Act, Peer};

use super::support::*;
use crate::address::Networks;
use crate::secret::NoScrub;
use crate::{Connector, NotSent, Outcome};

fn with(names: &Arc<Names>) -> Connector {
    Connector::new(Arc::clone(names) as Arc<dyn crate::resolve::Resolve>, Arc::new(NoScrub))
}

#[tokio::test]
async fn a_name_that_leads_home_is_refused() {
    let peer = Peer::start();
    let port = peer.address().port();
    for (name, addresses) in [
        ("rebound.test", &["127.0.0.1"][..]),
        ("mixed.test", &["8.8.8.8", "127.0.0.1"]),
        ("mixed6.test", &["127.0.0.1", "2606:4700::1111"]),
        ("cloud.test", &["169.254.169.254"]),
        ("zero.test", &["0.0.0.0"]),
        ("mapped.test", &["::ffff:127.0.0.1"]),
        ("compatible.test", &["::127.0.0.1"]),
        ("nat64.test", &["64:ff9b::7f00:1"]),
        ("sixtofour.test", &["2002:7f00:1::1"]),
        ("unspecified.test", &["::"]),
        ("loopback6.test", &["::1"]),
        ("local.test", &["fe80::1"]),
        ("private.test", &["10.0.0.1", "192.168.0.1"]),
        ("broadcast.test", &["255.255.255.255"]),
    ] {
        let names = Names::new(&[(name, &[addresses])]);
        let mut target = target(&format!("http://{name}:{port}/"));
        target.networks = Networks::default();
        let outcome = with(&names).endpoint(target).unwrap().call(&get()).await;
        assert_eq!(not_sent(&outcome), "address", "{name}: {outcome:?}");
    }
    assert_eq!(peer.connections(), 0, "none of them was even connected to");
}

#[tokio::test]
async fn a_literal_is_judged_like_a_name() {
    let peer = Peer::start();
    let port = peer.address().port();
    for host in
        ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "[::1]", "[::ffff:127.0.0.1]", "0"]
            .into_iter()
            .chain([
                "[::ffff:7f00:1]",
                "[::127.0.0.1]",
                "[64:ff9b::127.0.0.1]",
                "169.254.169.254",
                "[fe80::1]",
            ])
    {
        let names = Names::new(&[]);
        let mut target = target(&format!("http://{host}:{port}/"));
        target.networks = Networks::default();
        let outcome = with(&names).endpoint(target).unwrap().call(&get()).await;
        assert_eq!(not_sent(&outcome), "address", "{host}: {outcome:?}");
        assert!(names.asked.lock().is_empty(), "a literal isn't looked up");
    }
    assert_eq!(peer.connections(), 0);
    // With its network the same literals work.
    for host in ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let endpoint = connector().endpoint(target(&format!("http://{host}:{port}/"))).unwrap();
        assert_eq!(answer(&endpoint.call(&get()).await).0, 200, "{host}");
    }
}

#[tokio::test]
async fn a_name_is_checked_each_time_it_is_looked_up() {
    let peer = Peer::start();
    // The connection isn't kept, so that each call looks it up.
    peer.always(Act::status(200, "connection: close\r\n", "ok"));
    let names = Names::new(&[("flips.test", &[&["127.0.0.1"], &["10.0.0.1"], &["127.0.0.1"], &["0.0.0.0"]])]);
    let endpoint = with(&names).endpoint(target(&url(&peer).replace("peer.test", "flips.test"))).unwrap();
    assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
    assert_eq!(not_sent(&endpoint.call(&get()).await), "address");
    assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
    assert_eq!(not_sent(&endpoint.call(&get()).await), "address");
    assert_eq!((names.asked.lock().len(), peer.connections()), (4, 2), "one look-up a connection");
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_takes_no_connection() {
    let peer = Peer::start();
    let names = Names::new(&[("two.test", &[&["127.0.0.2", "127.0.0.1"]])]);
    let endpoint = with(&names).endpoint(target(&url(&peer).replace("peer.test", "two.test"))).unwrap();
    let arrived = answer(&endpoint.call(&post("x")).await);
    assert_eq!((arrived.0, peer.arrivals().len()), (200, 1));
    assert!(peer.arrivals()[0].header("host").unwrap().starts_with("two.test:"));
}

#[tokio::test]
async fn what_cannot_be_looked_up_was_not_sent() {
    let names = Names::new(&[("none.test", &[&[]])]);
    for (host, why) in [("missing.test", "no such name"), ("none.test", "has no address")] {
        let outcome = with(&names).endpoint(target(&format!("http://{host}/"))).unwrap().call(&get()).await;
        let Outcome::NotSent(NotSent::Dns { name, why: said }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(name, host);
        assert!(said.contains(why), "{said}");
    }
    let many: Vec<String> = (0..65).map(|number| format!("127.0.0.{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let names = Names::new(&[("many.test", &[&many])]);
    let outcome = with(&names).endpoint(target("http://many.test/")).unwrap().call(&get()).await;
    assert_eq!(not_sent(&outcome), "dns");
}

#[tokio::test]
async fn the_systems_resolver_is_checked_as_well() {
    let peer = Peer::start();
    let connector = Connector::system(Arc::new(NoScrub));
    let base = format!("http://localhost:{}/", peer.address().port());
    let mut refused = target(&base);
    refused.networks = Networks::default();
    assert_eq!(not_sent(&connector.endpoint(refused).unwrap().call(&get()).await), "address");
    assert_eq!(peer.connections(), 0);
    assert_eq!(answer(&connector.endpoint(target(&base)).unwrap().call(&get()).await).0, 200);
}

//! Which addresses a binding may name. The connector checks each address that it connects to; here stands what is
//! known to be wrong before anything is sent.

use std::net::IpAddr;

use samsyn_contract::calls::{BaseUrl, Network};

/// Networks that don't lead through the internet: RFC 1918, RFC 6598, RFC 4193 and loopback.
const INSIDE: [&str; 7] =
    ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"];
/// Link-local addresses, which no endpoint has, and at which clouds answer with a machine's own credentials.
const LINK_LOCAL: [&str; 2] = ["169.254.0.0/16", "fe80::/10"];
/// Addresses of clouds' metadata that aren't link-local.
const METADATA: [&str; 2] = ["100.100.100.200/32", "fd00:ec2::254/128"];

fn any(of: &[&str], mut is: impl FnMut(Network) -> bool) -> bool {
    of.iter().filter_map(|text| text.parse().ok()).any(|network| is(network))
}

/// Whether all of a network is inside.
pub(super) fn is_inside(network: Network) -> bool {
    any(&INSIDE, |inside| inside.covers(network))
}

/// Whether a network has addresses at which clouds give out credentials.
pub(super) fn has_metadata(network: Network) -> bool {
    any(&LINK_LOCAL, |local| local.overlaps(network)) || any(&METADATA, |address| address.overlaps(network))
}

/// Whether an address is reached only with a network that has it.
fn needs_network(address: IpAddr) -> bool {
    let has = |network: Network| network.contains(address);
    address.is_unspecified() || any(&INSIDE, has) || any(&LINK_LOCAL, has) || any(&METADATA, has)
}

/// What is wrong with a URL under these networks. `what` is what it is for, such as `url`.
pub(super) fn check(what: &str, url: &BaseUrl, networks: &[Network]) -> Result<(), String> {
    if let Some(address) = url.address() {
        if networks.is_empty() && needs_network(address) {
            return Err(format!(
                "{what}: {address} is a private or special address, which is reached only if networks has it, such as \
                 networks = [\"{address}\"]"
            ));
        }
        if !networks.is_empty() && !networks.iter().any(|network| network.contains(address)) {
            return Err(format!("{what}: {address} is in none of the networks; add it to networks"));
        }
    }
    if !url.is_https() && (networks.is_empty() || !networks.iter().all(|network| is_inside(*network))) {
        return Err(format!(
            "{what}: http is not encrypted, so it is allowed only if networks has private networks alone, such as \
             networks = [\"10.2.0.0/16\"]; use https"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_of_the_tables_can_be_read() {
        for text in INSIDE.iter().chain(&LINK_LOCAL).chain(&METADATA) {
            assert!(text.parse::<Network>().is_ok(), "{text}");
        }
    }

    #[test]
    fn http_and_private_addresses_need_networks() {
        for (url, networks, why) in [
            ("https://api.example.com/", &[][..], None),
            ("https://93.184.216.34/", &[], None),
            ("https://10.2.0.5/", &[], Some("private or special")),
            ("https://127.1/", &[], Some("private or special")),
            ("https://169.254.169.254/", &[], Some("private or special")),
            ("https://[::ffff:10.0.0.1]/", &[], Some("private or special")),
            ("https://[fd00::1]/", &[], Some("private or special")),
            ("https://0.0.0.0/", &[], Some("private or special")),
            ("https://10.2.0.5/", &["10.2.0.0/16"], None),
            ("https://10.3.0.5/", &["10.2.0.0/16"], Some("none of the networks")),
            ("https://93.184.216.34/", &["10.2.0.0/16"], Some("none of the networks")),
            ("http://crm.internal/", &[], Some("http is not encrypted")),
            ("http://crm.internal/", &["10.2.0.0/16"], None),
            ("http://crm.internal/", &["10.2.0.0/16", "0.0.0.0/0"], Some("http is not encrypted")),
            ("http://localhost/", &["127.0.0.0/8", "::1"], None),
            ("http://localhost/", &[], Some("http is not encrypted")),
            ("http://[::1]:8080/", &["::1"], None),
        ] {
            let networks: Vec<Network> = networks.iter().map(|text| text.parse().unwrap()).collect();
            let checked = check("url", &url.parse().unwrap(), &networks);
            match (why, checked) {
                (None, checked) => assert_eq!(checked, Ok(()), "{url} {networks:?}"),
                (Some(why), checked) => {
                    assert!(checked.as_ref().is_err_and(|is| is.contains(why)), "{url}: {checked:?}")
                }
            }
        }
    }

    #[test]
    fn credentials_of_machines_are_found_in_wide_networks() {
        let found = |text: &str| has_metadata(text.parse().unwrap());
        for text in [
            "169.254.169.254",
            "169.254.0.0/16",
            "0.0.0.0/0",
            "100.64.0.0/10",
            "fd00::/8",
            "::/0",
            "fe80::/10",
        ] {
            assert!(found(text), "{text}");
        }
        for text in ["10.0.0.0/8", "127.0.0.0/8", "fd01::/16", "192.168.0.0/16"] {
            assert!(!found(text), "{text}");
        }
    }
}

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn open() -> Networks {
    Networks::default()
}

fn granted(networks: &[&str]) -> Networks {
    Networks::parse(networks).unwrap()
}

/// A row of a registry's file: its blocks, its name, and whether it is globally reachable.
fn rows(csv: &str) -> Vec<(String, String, String)> {
    let (mut fields, mut field, mut quoted, mut found) = (Vec::new(), String::new(), false, Vec::new());
    let mut characters = csv.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => field.push(characters.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                fields.push(std::mem::take(&mut field));
                found.push(std::mem::take(&mut fields));
            }
            other => field.push(other),
        }
    }
    let row = |row: &Vec<String>| {
        assert_eq!(row.len(), 10, "{row:?}");
        let plain = |text: &str| text.split(" [").next().unwrap().replace('"', "").trim().to_owned();
        (plain(&row[0]), plain(&row[1]), plain(&row[8]))
    };
    found.iter().skip(1).map(row).collect()
}

fn registries() -> Vec<(Network, String, String)> {
    let files = [
        include_str!("../../fixtures/iana-ipv4-special-registry.csv"),
        include_str!("../../fixtures/iana-ipv6-special-registry.csv"),
    ];
    let mut all = Vec::new();
    for (blocks, name, reachable) in files.iter().flat_map(|file| rows(file)) {
        for block in blocks.split(", ") {
            let (first, prefix) = block.split_once('/').unwrap();
            let network = Network { first: ip(first), prefix: prefix.parse().unwrap() };
            all.push((network, name.clone(), reachable.clone()));
        }
    }
    all
}

/// Blocks that IANA's two registries don't have.
const OTHERS: &[&str] = &["224.0.0.0/4", "::/96", "fec0::/10", "ff00::/8"];

#[test]
fn every_block_of_the_registries_is_in_the_table_and_judged_as_they_say() {
    let registries = registries();
    assert_eq!(registries.len(), 26 + 25);
    for (network, name, reachable) in &registries {
        let block = BLOCKS.iter().find(|block| block.network == *network);
        let block = block.unwrap_or_else(|| panic!("{network} {name} is missing"));
        assert_eq!(block.name, name, "{network}");
        assert_eq!(block.reach == Reach::Global, reachable == "True", "{network} {name}: {reachable}");
    }
    for block in BLOCKS {
        let listed = registries.iter().any(|(network, ..)| *network == block.network);
        assert!(listed || OTHERS.contains(&block.network.to_string().as_str()), "{}", block.network);
    }
}

/// What the registries say of an address, by the most specific row.
fn by_registry(address: IpAddr) -> bool {
    let row = registries()
        .into_iter()
        .filter(|(network, ..)| network.contains(address))
        .max_by_key(|(network, ..)| network.prefix);
    row.is_none_or(|(_, _, reachable)| reachable == "True")
}

fn beside(address: IpAddr, up: bool) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => {
            let bits = u32::from(v4);
            let next = if up { bits.checked_add(1) } else { bits.checked_sub(1) };
            next.map(|bits| IpAddr::V4(Ipv4Addr::from(bits)))
        }
        IpAddr::V6(v6) => {
            let bits = u128::from(v6);
            let next = if up { bits.checked_add(1) } else { bits.checked_sub(1) };
            next.map(|bits| IpAddr::V6(Ipv6Addr::from(bits)))
        }
    }
}

#[test]
fn the_first_and_last_address_of_each_block_and_their_neighbours() {
    for block in BLOCKS {
        let (first, last) = block.network.ends();
        assert!(block.network.contains(first) && block.network.contains(last), "{}", block.network);
        for outside in [beside(first, false), beside(last, true)].into_iter().flatten() {
            assert!(!block.network.contains(outside), "{} contains {outside}", block.network);
        }
        for address in
            [Some(first), Some(last), beside(first, false), beside(last, true)].into_iter().flatten()
        {
            let allowed = check(address, &open()).is_ok();
            let carries = block_of(address).is_some_and(|block| block.carries.is_some());
            let assigned = match address {
                IpAddr::V4(v4) => !v4.is_multicast(),
                IpAddr::V6(v6) => v6.segments()[0] & 0xE000 == 0x2000,
            };
            if !carries {
                assert_eq!(allowed, by_registry(address) && assigned, "{address}");
            }
        }
    }
}

#[test]
fn public_addresses_are_allowed_without_networks() {
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
    ]
    .into_iter()
    .chain(["172.15.255.255", "172.32.0.0", "192.0.1.0", "223.255.255.255", "192.167.255.255"])
    .chain(["2606:4700::1111", "2a00:1450::1", "2001:200::1", "2003::1", "64:ff9b::8.8.8.8"])
    .chain(["::ffff:8.8.8.8", "192.0.0.9", "2001:20::1", "3ffe:ffff::1"])
    {
        assert_eq!(check(ip(text), &open()), Ok(()), "{text}");
    }
}

#[test]
fn what_leads_home_is_refused() {
    let inward =
        ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0"];
    for inner in inward {
        let v4: Ipv4Addr = inner.parse().unwrap();
        let bits = u128::from(u32::from(v4));
        let outer = [
            ("itself", IpAddr::V4(v4)),
            ("mapped", IpAddr::V6(v4.to_ipv6_mapped())),
            ("compatible", IpAddr::V6(Ipv6Addr::from(bits))),
            ("NAT64", IpAddr::V6(Ipv6Addr::from((0x0064_FF9B_u128 << 96) | bits))),
            ("local NAT64", IpAddr::V6(Ipv6Addr::from((0x0064_FF9B_0001_u128 << 80) | bits))),
            ("6to4", IpAddr::V6(Ipv6Addr::from((0x2002_u128 << 112) | (bits << 80) | 1))),
            ("Teredo server", IpAddr::V6(Ipv6Addr::from((0x2001_0000_u128 << 96) | (bits << 64)))),
            (
                "Teredo client",
                IpAddr::V6(Ipv6Addr::from(
                    (0x2001_0000_u128 << 96) | (0x0808_0808_u128 << 64) | u128::from(!u32::from(v4)),
                )),
            ),
        ];
        // A network around the carrier opens what it carries to nobody.
        let carriers = granted(&["64:ff9b:1::/48", "2002::/16", "2001::/32"]);
        for (form, address) in outer {
            assert!(check(address, &open()).is_err(), "{form} of {inner}: {address}");
            assert!(check(address, &carriers).is_err(), "{form} of {inner} with carriers: {address}");
        }
    }
}

#[test]
fn a_carrier_that_was_granted_leads_to_public_addresses() {
    let carriers = granted(&["64:ff9b:1::/48", "2002::/16", "2001::/32"]);
    for text in
        ["2002:808:808::1", "2001:0:808:808::f7f7:f7f7", "64:ff9b:1::8.8.8.8", "64:ff9b:1:808:8:800::"]
    {
        assert_eq!(check(ip(text), &carriers), Ok(()), "{text}");
        assert!(check(ip(text), &open()).is_err(), "{text}");
    }
    // 10.0.0.1 behind prefixes of 48, 56 and 64 bits.
    for text in ["64:ff9b:1:a00:0:100::", "64:ff9b:1:a:0:1::", "64:ff9b:1:0:a:0:100::"] {
        assert!(check(ip(text), &carriers).is_err(), "{text}");
    }
    // Both are granted: the translator and where it leads.
    let both = granted(&["64:ff9b:1::/48", "10.0.0.0/8"]);
    assert_eq!(check(ip("64:ff9b:1::10.0.0.1"), &both), Ok(()));
}

#[test]
fn networks_allow_what_they_contain_and_nothing_else() {
    let networks = granted(&["10.2.0.0/16", "127.0.0.0/8", "fd00:12::/32", "::1/128", "8.8.8.0/24"]);
    for text in ["10.2.0.0", "10.2.255.255", "127.0.0.1", "fd00:12::1", "::1", "::ffff:10.2.3.4", "8.8.8.8"] {
        assert_eq!(check(ip(text), &networks), Ok(()), "{text}");
    }
    for text in
        ["10.1.255.255", "10.3.0.0", "fd00:13::", "1.1.1.1", "192.168.0.1", "::ffff:10.3.0.1", "::127.0.0.1"]
    {
        assert!(check(ip(text), &networks).is_err(), "{text}");
    }
}

#[test]
fn some_are_never_allowed_and_cannot_be_granted() {
    let never = ["0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "239.255.255.255", "255.255.255.255"]
        .into_iter()
        .chain(["::", "fe80::1", "ff02::1", "100::1", "5f00::1", "::ffff:0.0.0.0", "::ffff:169.254.169.254"])
        .chain(["4000::1", "1::1", "e000::1", "::ffff:0:8.8.8.8"]);
    let wide =
        Networks(vec![Network { first: ip("0.0.0.0"), prefix: 0 }, Network { first: ip("::"), prefix: 0 }]);
    for text in never {
        assert!(matches!(check(ip(text), &wide), Err(Refused::Never { .. })), "{text}");
    }
    for text in [
        "169.254.0.0/16",
        "169.254.169.254/32",
        "224.0.0.0/8",
        "255.255.255.255/32",
        "fe80::/64",
        "ff02::/16",
    ] {
        assert!(matches!(text.parse::<Network>(), Err(BadNetwork::Never { .. })), "{text}");
    }
}

#[test]
fn a_network_is_written_exactly() {
    assert_eq!("10.2.0.0/16".parse::<Network>().unwrap().to_string(), "10.2.0.0/16");
    for text in
        ["", "10.2.0.0", "10.2.0.0/", "10.2.0.0/33", "10.2.0.0/+8", "10.2/16", "::/129", "fe80::1%eth0/64"]
    {
        assert!(matches!(text.parse::<Network>(), Err(BadNetwork::Form(_))), "{text}");
    }
    for text in ["0.0.0.0/0", "10.0.0.0/7", "::/0", "2000::/3"] {
        assert!(matches!(text.parse::<Network>(), Err(BadNetwork::Large(_))), "{text}");
    }
    assert!(matches!("::ffff:10.0.0.0/104".parse::<Network>(), Err(BadNetwork::Mapped(_))));
    let Err(BadNetwork::HostBits { meant, .. }) = "10.2.3.4/16".parse::<Network>() else { panic!() };
    assert_eq!(meant.to_string(), "10.2.0.0/16");
}

#[test]
fn one_refused_address_condemns_all() {
    assert!(check_all(&[ip("8.8.8.8"), ip("1.1.1.1")], &open()).is_ok());
    assert!(check_all(&[ip("8.8.8.8"), ip("10.0.0.1")], &open()).is_err());
    assert!(check_all(&[ip("::1"), ip("8.8.8.8")], &open()).is_err());
}

proptest! {
    /// Another spelling of an IPv4 address is judged as that address.
    #[test]
    fn mapped_is_the_same_as_plain(bits in any::<u32>()) {
        let v4 = Ipv4Addr::from(bits);
        for networks in [open(), granted(&["10.0.0.0/8", "127.0.0.0/8"])] {
            let (plain, mapped) = (IpAddr::V4(v4), IpAddr::V6(v4.to_ipv6_mapped()));
            prop_assert_eq!(check(plain, &networks).is_ok(), check(mapped, &networks).is_ok());
        }
    }

    /// Whatever is allowed without networks is public by the registries, read by other code than the check's.
    #[test]
    fn allowed_is_public(v4 in any::<u32>(), v6 in any::<u128>(), block in 0..BLOCKS.len()) {
        // Near a block, so that special ones come up at all.
        let near = match BLOCKS[block].network.ends().0 {
            IpAddr::V4(first) => IpAddr::V4(Ipv4Addr::from(u32::from(first) ^ (v4 >> 8))),
            IpAddr::V6(first) => IpAddr::V6(Ipv6Addr::from(u128::from(first) ^ (v6 >> 40))),
        };
        for address in [IpAddr::V4(v4.into()), IpAddr::V6(v6.into()), near] {
            if check(address, &open()).is_ok() {
                let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
                prop_assert!(by_registry(address) || mapped, "{}", address);
            }
        }
    }
}

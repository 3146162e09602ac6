//! Which addresses an endpoint may connect to.
//!
//! A name is no protection: whoever owns it decides what it resolves to, today a public address and a minute later
//! the machine's own. So every address is judged, after each look-up, and a literal like a looked-up one. The
//! judgement is IANA's two registries of special-purpose addresses ([`table`]): what they call globally reachable
//! is allowed, the rest only where an endpoint's `networks` say so, and some never.
//!
//! An address that carries an IPv4 address (mapped, NAT64, 6to4, Teredo) leads there, so that one is judged too.

mod table;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

pub use table::{BLOCKS, Block, Carries, Reach};

/// The shortest prefix of a granted network: whole address spaces aren't granted.
const PREFIX_MIN: (u8, u8) = (8, 7);

/// Why no connection is made to an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It isn't globally reachable, and no network of the endpoint holds it.
    #[error("{address} is not a public address ({block}); grant the endpoint a network that contains it")]
    Special {
        /// The address.
        address: IpAddr,
        /// The registry's name of its block.
        block: &'static str,
    },
    /// No grant can allow it.
    #[error("{address} can never be called ({block})")]
    Never {
        /// The address.
        address: IpAddr,
        /// The registry's name of its block.
        block: &'static str,
    },
    /// The endpoint has networks, and none holds it.
    #[error("{address} is in none of the endpoint's networks ({networks})")]
    Elsewhere {
        /// The address.
        address: IpAddr,
        /// The networks.
        networks: Networks,
    },
}

/// May this endpoint connect to this address?
///
/// Without networks: only if it is globally reachable. With networks: only if one of them contains it, public or
/// not. Multicast, unspecified, broadcast, link-local (where clouds hand out a machine's credentials) and addresses
/// that belong to nobody are refused in both cases.
pub fn check(address: IpAddr, networks: &Networks) -> Result<(), Refused> {
    let block = block_of(address);
    if let Some(block) = block.filter(|block| block.reach == Reach::Never) {
        return Err(Refused::Never { address, block: block.name });
    }
    if let (IpAddr::V6(v6), None) = (address, block)
        && v6.segments()[0] & 0xE000 != 0x2000
    {
        return Err(Refused::Never { address, block: "reserved by the IETF" });
    }
    // The mapped form is another spelling of an IPv4 address, and nothing else.
    if let (IpAddr::V6(v6), Some(Block { carries: Some(Carries::Mapped), .. })) = (address, block) {
        return check(IpAddr::V4(last_bits(v6)), networks);
    }
    if let (IpAddr::V6(v6), Some(Block { carries: Some(carries), .. })) = (address, block) {
        for inner in carried(v6, *carries) {
            // The network of the outer address doesn't open what is behind a translator.
            check(IpAddr::V4(inner), networks).or_else(|refused| match refused {
                Refused::Elsewhere { .. } => check(IpAddr::V4(inner), &Networks::default()),
                refused => Err(refused),
            })?;
        }
    }
    if !networks.is_empty() {
        let within = networks.contains(address);
        return if within { Ok(()) } else { Err(Refused::Elsewhere { address, networks: networks.clone() }) };
    }
    match block.filter(|block| block.reach != Reach::Global) {
        Some(block) => Err(Refused::Special { address, block: block.name }),
        None => Ok(()),
    }
}

/// Are all of these allowed? One that isn't condemns them all: a name that mixes public and private addresses is
/// how the check is raced. No address at all is allowed as well; the caller has nothing to connect to then.
pub fn check_all(addresses: &[IpAddr], networks: &Networks) -> Result<(), Refused> {
    addresses.iter().try_for_each(|address| check(*address, networks))
}

/// The most specific block of the registries that an address is in.
pub fn block_of(address: IpAddr) -> Option<&'static Block> {
    BLOCKS.iter().filter(|block| block.network.contains(address)).max_by_key(|block| block.network.prefix)
}

/// The IPv4 addresses that an IPv6 address leads to.
fn carried(v6: Ipv6Addr, how: Carries) -> Vec<Ipv4Addr> {
    let bits = u128::from(v6);
    let at = |first: u32| Ipv4Addr::from((bits >> (96 - first)) as u32);
    match how {
        Carries::Mapped | Carries::Nat64 => vec![last_bits(v6)],
        Carries::SixToFour => vec![at(16)],
        // The server, and the client with its bits turned over.
        Carries::Teredo => vec![at(32), Ipv4Addr::from(!(bits as u32))],
        Carries::LocalNat64 => local_nat64(bits),
    }
}

fn last_bits(v6: Ipv6Addr) -> Ipv4Addr {
    Ipv4Addr::from(u128::from(v6) as u32)
}

/// A local translator's prefix may have 48, 56, 64 or 96 bits (RFC 6052, 2.2), and nothing says which: every reading
/// whose unused bits are zero counts. An empty reading counts only if there is no other.
fn local_nat64(bits: u128) -> Vec<Ipv4Addr> {
    let octet = |number: u32| (bits >> (120 - 8 * number)) as u8;
    // Octet 8 is always zero in the short forms, and so is all behind the address.
    let form = |octets: [u32; 4], rest: u32| {
        let unused = (octets[3] + 1..16).all(|number| octet(number) == 0) && octet(8) == 0 && rest < 16;
        unused.then(|| Ipv4Addr::from(octets.map(octet)))
    };
    let mut readings: Vec<Ipv4Addr> =
        [form([6, 7, 9, 10], 11), form([7, 9, 10, 11], 12), form([9, 10, 11, 12], 13)]
            .into_iter()
            .flatten()
            .chain([Ipv4Addr::from(bits as u32)])
            .collect();
    if readings.iter().any(|reading| !reading.is_unspecified()) {
        readings.retain(|reading| !reading.is_unspecified());
    }
    readings
}

/// A network in CIDR notation, without bits behind its prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    pub(crate) const fn v4(octets: [u8; 4], prefix: u8) -> Network {
        Network { first: IpAddr::V4(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3])), prefix }
    }

    pub(crate) const fn v6(s: [u16; 8], prefix: u8) -> Network {
        Network { first: IpAddr::V6(Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7])), prefix }
    }

    /// Is this address in it? An IPv4 address is in no IPv6 network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix);
                u32::from(first).checked_shr(shift) == u32::from(address).checked_shr(shift)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix);
                u128::from(first).checked_shr(shift) == u128::from(address).checked_shr(shift)
            }
            _ => false,
        }
    }

    /// Its first and its last address.
    pub fn ends(&self) -> (IpAddr, IpAddr) {
        match self.first {
            IpAddr::V4(first) => {
                let rest = u32::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
                (self.first, IpAddr::V4(Ipv4Addr::from(u32::from(first) | rest)))
            }
            IpAddr::V6(first) => {
                let rest = u128::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
                (self.first, IpAddr::V6(Ipv6Addr::from(u128::from(first) | rest)))
            }
        }
    }

    /// How many bits its addresses share.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no network that can be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNetwork {
    /// It isn't an address, a slash and a number of bits.
    #[error("`{0}` is not a network; write it like 10.2.0.0/16 or fd00:12::/32")]
    Form(String),
    /// Bits behind the prefix are set.
    #[error("`{given}` has bits behind its prefix; write {meant}")]
    HostBits {
        /// What was written.
        given: String,
        /// The network that contains it.
        meant: Network,
    },
    /// It is larger than any network of a company.
    #[error("`{0}` is too large; a network has a prefix of at least /8 (IPv4) or /7 (IPv6)")]
    Large(String),
    /// No address of it can be called.
    #[error("`{given}` can't be granted: it is {block}, which is never called")]
    Never {
        /// What was written.
        given: String,
        /// The registry's name of the block.
        block: &'static str,
    },
    /// An IPv4 network in an IPv6 spelling.
    #[error("`{0}` holds IPv4 addresses; write it as an IPv4 network")]
    Mapped(String),
}

impl FromStr for Network {
    type Err = BadNetwork;

    /// Reads a network that an endpoint is granted.
    fn from_str(given: &str) -> Result<Network, BadNetwork> {
        let form = || BadNetwork::Form(given.to_owned());
        let (address, prefix) = given.split_once('/').ok_or_else(form)?;
        let first: IpAddr = address.parse().map_err(|_| form())?;
        if prefix.is_empty() || prefix.len() > 3 || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(form());
        }
        let prefix: u8 = prefix.parse().map_err(|_| form())?;
        let (bits, min) = if first.is_ipv4() { (32, PREFIX_MIN.0) } else { (128, PREFIX_MIN.1) };
        if prefix > bits {
            return Err(form());
        }
        if prefix < min {
            return Err(BadNetwork::Large(given.to_owned()));
        }
        let network = Network { first, prefix };
        let meant = Network { first: network.floor(), prefix };
        if meant != network {
            return Err(BadNetwork::HostBits { given: given.to_owned(), meant });
        }
        let whole = |block: &&Block| block.network.contains(first) && block.network.prefix <= prefix;
        if let Some(block) = BLOCKS.iter().filter(whole).max_by_key(|block| block.network.prefix) {
            if block.carries == Some(Carries::Mapped) {
                return Err(BadNetwork::Mapped(given.to_owned()));
            }
            if block.reach == Reach::Never {
                return Err(BadNetwork::Never { given: given.to_owned(), block: block.name });
            }
        }
        Ok(network)
    }
}

impl Network {
    fn floor(&self) -> IpAddr {
        match self.first {
            IpAddr::V4(first) => {
                let rest = u32::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(first) & !rest))
            }
            IpAddr::V6(first) => {
                let rest = u128::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(first) & !rest))
            }
        }
    }
}

/// The networks that an endpoint may reach. None: whatever is globally reachable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// These networks.
    pub fn new(networks: Vec<Network>) -> Networks {
        Networks(networks)
    }

    /// Reads them, each in CIDR notation.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Networks, BadNetwork> {
        texts.iter().map(|text| text.as_ref().parse()).collect::<Result<_, _>>().map(Networks)
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is the address in one of them?
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, network) in self.0.iter().enumerate() {
            write!(f, "{}{network}", if number == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

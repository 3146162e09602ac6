//! IANA's registries of special-purpose addresses, and what has meaning without standing in them.
//!
//! Sources: the IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190) as of 2026-07-18 (the files in `fixtures/`); multicast
//! from RFC 5771 and RFC 4291; the deprecated forms from RFC 4291 2.5.5.1 and RFC 3879.

use super::Network;

/// Where the registry says that packets to a block get to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Globally reachable: allowed unless an endpoint's networks say otherwise.
    Global,
    /// Not globally reachable: allowed where an endpoint's networks contain it.
    Granted,
    /// Nobody's, everybody's, or this machine's link: never allowed.
    Never,
}

/// How the addresses of a block carry an IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// The IPv4 address in an IPv6 spelling (RFC 4291).
    Mapped,
    /// In the last 32 bits (RFC 6052).
    Nat64,
    /// By a prefix of the site's choice (RFC 8215, RFC 6052).
    LocalNat64,
    /// In bits 16 to 47 (RFC 3056).
    SixToFour,
    /// The server's in bits 32 to 63, the client's inverted in the last 32 (RFC 4380).
    Teredo,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Its addresses.
    pub network: Network,
    /// The registry's name.
    pub name: &'static str,
    /// Whether it can be called.
    pub reach: Reach,
    /// Whether there is an IPv4 address in it, to be judged as well.
    pub carries: Option<Carries>,
}

const fn v4(octets: [u8; 4], prefix: u8, name: &'static str, reach: Reach) -> Block {
    Block { network: Network::v4(octets, prefix), name, reach, carries: None }
}

const fn v6(segments: [u16; 8], prefix: u8, name: &'static str, reach: Reach) -> Block {
    Block { network: Network::v6(segments, prefix), name, reach, carries: None }
}

const fn carrying(segments: [u16; 8], prefix: u8, name: &'static str, reach: Reach, how: Carries) -> Block {
    Block { network: Network::v6(segments, prefix), name, reach, carries: Some(how) }
}

use Reach::{Global, Granted, Never};

/// All rows. The most specific one that holds an address counts.
pub const BLOCKS: &[Block] = &[
    v4([0, 0, 0, 0], 8, "This network", Never),
    v4([0, 0, 0, 0], 32, "This host on this network", Never),
    v4([10, 0, 0, 0], 8, "Private-Use", Granted),
    v4([100, 64, 0, 0], 10, "Shared Address Space", Granted),
    v4([127, 0, 0, 0], 8, "Loopback", Granted),
    v4([169, 254, 0, 0], 16, "Link Local", Never),
    v4([172, 16, 0, 0], 12, "Private-Use", Granted),
    v4([192, 0, 0, 0], 24, "IETF Protocol Assignments", Never),
    v4([192, 0, 0, 0], 29, "IPv4 Service Continuity Prefix", Never),
    v4([192, 0, 0, 8], 32, "IPv4 dummy address", Never),
    v4([192, 0, 0, 9], 32, "Port Control Protocol Anycast", Global),
    v4([192, 0, 0, 10], 32, "Traversal Using Relays around NAT Anycast", Global),
    v4([192, 0, 0, 170], 32, "NAT64/DNS64 Discovery", Never),
    v4([192, 0, 0, 171], 32, "NAT64/DNS64 Discovery", Never),
    v4([192, 0, 2, 0], 24, "Documentation (TEST-NET-1)", Granted),
    v4([192, 31, 196, 0], 24, "AS112-v4", Global),
    v4([192, 52, 193, 0], 24, "AMT", Global),
    v4([192, 88, 99, 0], 24, "Deprecated (6to4 Relay Anycast)", Never),
    v4([192, 88, 99, 2], 32, "6a44-relay anycast address", Never),
    v4([192, 168, 0, 0], 16, "Private-Use", Granted),
    v4([192, 175, 48, 0], 24, "Direct Delegation AS112 Service", Global),
    v4([198, 18, 0, 0], 15, "Benchmarking", Granted),
    v4([198, 51, 100, 0], 24, "Documentation (TEST-NET-2)", Granted),
    v4([203, 0, 113, 0], 24, "Documentation (TEST-NET-3)", Granted),
    v4([224, 0, 0, 0], 4, "Multicast", Never),
    v4([240, 0, 0, 0], 4, "Reserved", Granted),
    v4([255, 255, 255, 255], 32, "Limited Broadcast", Never),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96, "Deprecated (IPv4-compatible)", Never),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, "Unspecified Address", Never),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, "Loopback Address", Granted),
    carrying([0, 0, 0, 0, 0, 0xFFFF, 0, 0], 96, "IPv4-mapped Address", Granted, Carries::Mapped),
    carrying([0x64, 0xFF9B, 0, 0, 0, 0, 0, 0], 96, "IPv4-IPv6 Translat.", Global, Carries::Nat64),
    carrying([0x64, 0xFF9B, 1, 0, 0, 0, 0, 0], 48, "IPv4-IPv6 Translat.", Granted, Carries::LocalNat64),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, "Discard-Only Address Block", Never),
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64, "Dummy IPv6 Prefix", Never),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "IETF Protocol Assignments", Never),
    carrying([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, "TEREDO", Granted, Carries::Teredo),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 1], 128, "Port Control Protocol Anycast", Global),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 2], 128, "Traversal Using Relays around NAT Anycast", Global),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 3], 128, "DNS-SD Service Registration Protocol Anycast", Global),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, "Benchmarking", Granted),
    v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32, "AMT", Global),
    v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48, "AS112-v6", Global),
    v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28, "Deprecated (previously ORCHID)", Never),
    v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28, "ORCHIDv2", Global),
    v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28, "Drone Remote ID Protocol Entity Tags (DETs) Prefix", Global),
    v6([0x2001, 0xDB8, 0, 0, 0, 0, 0, 0], 32, "Documentation", Granted),
    carrying([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "6to4", Granted, Carries::SixToFour),
    v6([0x2620, 0x4F, 0x8000, 0, 0, 0, 0, 0], 48, "Direct Delegation AS112 Service", Global),
    v6([0x3FFF, 0, 0, 0, 0, 0, 0, 0], 20, "Documentation", Granted),
    v6([0x5F00, 0, 0, 0, 0, 0, 0, 0], 16, "Segment Routing (SRv6) SIDs", Never),
    v6([0xFC00, 0, 0, 0, 0, 0, 0, 0], 7, "Unique-Local", Granted),
    v6([0xFE80, 0, 0, 0, 0, 0, 0, 0], 10, "Link-Local Unicast", Never),
    v6([0xFEC0, 0, 0, 0, 0, 0, 0, 0], 10, "Deprecated (Site-Local)", Granted),
    v6([0xFF00, 0, 0, 0, 0, 0, 0, 0], 8, "Multicast", Never),
];

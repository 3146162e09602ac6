//! From a name to its addresses.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// A look-up under way.
pub type Looking<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Who looks names up. Called once for each new connection, and for no address literal. All that it answers is
/// checked, each time.
pub trait Resolve: Send + Sync {
    /// All addresses of this name, in the order in which they are to be tried.
    fn resolve<'a>(&'a self, name: &'a str) -> Looking<'a>;
}

/// The system's resolver (`getaddrinfo`), with its hosts file and its order of address families.
pub struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, name: &'a str) -> Looking<'a> {
        Box::pin(async move {
            // The port is the caller's; the resolver needs one.
            let found = tokio::net::lookup_host((name, 0)).await?;
            let mut addresses: Vec<IpAddr> = Vec::new();
            for address in found.map(|address| address.ip()) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            Ok(addresses)
        })
    }
}

//! The company's membership system, and what came of keeping it in agreement: `tier-sync` sends it each
//! customer's tier and opt-out.
//!
//! | file | what it does |
//! |---|---|
//! | `membership.rs` | binds the endpoint to the system, lets the calls leave, counts who agrees |
//! | `membership/system.rs` | the system: a small HTTP server of the demo's own |
//!
//! The endpoint is paused while the purchases are sent, so that what is measured then is the host alone.

mod system;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use self::system::System;
use samsyn_client::{ChangeHow, Client, ClientError};
use samsyn_terminal::{CliError, Stop};
use samsyn_vocabulary::Reason;

/// The plug-in.
const CAPABILITY: &str = "tier-sync";
/// Its endpoint.
const ENDPOINT: &str = "membership";
/// What the system is sent about a customer who has one of them.
const SENT_FIELDS: [&str; 2] = ["loyalty.tier", "marketing_opted_out"];
/// Since when the system agrees about a customer.
const SINCE: &str = "tier_sync.in_agreement_since";
/// Why it doesn't.
const TROUBLE: &str = "tier_sync.trouble";
/// Everything has arrived when nothing came for so long. It asks for a second's patience at most.
const QUIET: Duration = Duration::from_secs(3);
/// Longer than this the demo doesn't wait for it.
const LONGEST: Duration = Duration::from_secs(90);
/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const WHILE_SENDING: &str = "the demo measures the host first";
const AT_THE_END: &str = "the demo's membership system ended with the demo";

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MembershipCounts {
    /// Customers about whom something was sent to the system.
    pub sent: u64,
    /// In so many requests.
    pub requests: u64,
    /// How often it asked for the values again.
    pub put_off: u64,
    /// Customers that it doesn't know.
    pub unknown: u64,
    /// Customers about whom it agrees, as the host says.
    pub agree: u64,
    /// Customers about whom it doesn't, with a reason.
    pub trouble: u64,
    /// Customers about whom something is still to be sent, or to be answered.
    pub wait: u64,
}

/// The system, with the endpoint bound to it.
#[derive(Debug)]
pub struct Membership(System);

impl Membership {
    /// Starts the system and binds the endpoint. No call leaves yet.
    pub fn open(client: &Client) -> Result<Membership, CliError> {
        let system = System::start().map_err(|cause| {
            CliError::refused("the demo's membership system can't listen on 127.0.0.1").because(cause)
        })?;
        let binding = json!({
            "url": format!("http://{}/", system.address), "auth": "none", "networks": ["127.0.0.0/8"],
            "rate": "10000 per 1s", "parallel": 64,
        });
        let binding = serde_json::from_value(binding).map_err(|cause: serde_json::Error| {
            CliError::refused("the demo's binding of the endpoint is none").because(cause)
        })?;
        client.bind_endpoint(CAPABILITY, ENDPOINT, &binding, ChangeHow::default())?;
        pause(client, WHILE_SENDING)?;
        Ok(Membership(system))
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("http://{}/", self.0.address)
    }

    /// Lets the calls leave, and waits until nothing comes any more, or too long.
    pub fn let_calls_leave(&self, client: &Client, stop: &Stop) -> Result<(), ClientError> {
        client.resume_endpoint(CAPABILITY, ENDPOINT, ChangeHow::default())?;
        let begun = Instant::now();
        while begun.elapsed() < LONGEST && begun.elapsed().min(self.0.quiet_for()) < QUIET && !stop.is_set() {
            stop.wait(LOOK_EVERY);
        }
        Ok(())
    }

    /// Counts what came of it: by the system's own books, and by what the host says.
    pub fn agreement(&self, client: &Client) -> Result<MembershipCounts, ClientError> {
        let (agree, trouble) = (customers_with(client, SINCE)?, customers_with(client, TROUBLE)?);
        let mut wait = HashSet::new();
        for field in SENT_FIELDS {
            wait.extend(customers_with(client, field)?);
        }
        wait.retain(|customer| !agree.contains(customer) && !trouble.contains(customer));
        let [sent, requests, put_off, unknown] = self.0.counts();
        let [agree, trouble, wait] = [agree, trouble, wait].map(|customers| customers.len() as u64);
        Ok(MembershipCounts { sent, requests, put_off, unknown, agree, trouble, wait })
    }

    /// The system ends with the demo, and its calls wait from then on.
    pub fn close(self, client: &Client) -> Result<(), ClientError> {
        pause(client, AT_THE_END)
    }
}

fn pause(client: &Client, reason: &str) -> Result<(), ClientError> {
    let reason = Reason::new(reason).ok();
    client.pause_endpoint(
        CAPABILITY,
        ENDPOINT,
        ChangeHow { reason: reason.as_ref(), ..ChangeHow::default() },
    )?;
    Ok(())
}

/// The profiles for which somebody claims a value of this field.
fn customers_with(client: &Client, field: &str) -> Result<HashSet<String>, ClientError> {
    let listed = client.claims(field, None, usize::MAX)?.items;
    let has_value = |claim: &samsyn_client::wire::Claim<'_>| !claim.value.clone().into_json().is_null();
    let with = listed.into_iter().filter(|listed| listed.body.claims.iter().any(has_value));
    Ok(with.map(|listed| listed.body.profile.to_string()).collect())
}

//! What the demo shows at its end: everything measured or asked of the host in this run.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::companions::{Cast, Doubtful};
use super::membership::MembershipCounts;
use super::owning::Owning;
use super::percentile::Histogram;
use super::purchases::reference;
use super::script::Sender;
use super::send::{Clients, Sent, is_synthetic};
use samsyn_client::wire::Claim;
use samsyn_client::{Client, ClientError};
use samsyn_terminal::CliError;
use samsyn_terminal::output::grouped;

/// How far back a customer's story is read: further than any customer of the data has one.
const TIMELINE_ITEMS_MAX: usize = 2_000;

/// What was sent, and how long it took.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Measured {
    /// Where the invented events come from.
    pub seed: u64,
    /// Real purchases that the host took.
    pub purchases: u64,
    /// Invented events that it took.
    pub synthetic: u64,
    /// Both of them.
    pub accepted: u64,
    /// Events it didn't take: 0, or the demo fails.
    pub refused: u64,
    /// Events that were sent: those that it took and those that it didn't.
    pub sent: u64,
    /// From the first request to the last answer, seconds.
    pub accepted_seconds: f64,
    /// From the first request to the last decision on disk, seconds.
    pub decided_seconds: f64,
    /// Events a second, from the first request to the last decision.
    pub events_per_second: u64,
}

impl Measured {
    /// What the host took of what was sent, by whether it is real.
    pub fn of(sent: &Sent, purchases: u64, synthetic: u64) -> Measured {
        let Sent { summary, refused_synthetic } = sent;
        let refused_purchases = summary.refused.saturating_sub(*refused_synthetic);
        Measured {
            purchases: purchases.saturating_sub(refused_purchases),
            synthetic: synthetic.saturating_sub(*refused_synthetic),
            accepted: summary.accepted + summary.duplicates,
            refused: summary.refused,
            sent: purchases + synthetic,
            ..Measured::default()
        }
    }

    /// Fails when anything that was sent is missing, or the numbers don't add up.
    pub fn check(&self) -> Result<(), CliError> {
        let made = self.purchases + self.synthetic;
        if made == self.accepted && self.accepted == self.sent {
            return Ok(());
        }
        let missing = self.sent.saturating_sub(self.accepted);
        Err(CliError::refused(format!("{} of {} events are missing", grouped(missing), grouped(self.sent)))
            .because(format!("{} were rejected", grouped(self.refused)))
            .next("run it again when the machine is less busy; `samsyn status` shows what the host did"))
    }
}

/// Everything that is shown.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// What was measured here.
    #[serde(flatten)]
    pub measured: Measured,
    /// Customers.
    pub profiles: u64,
    /// Fresh sandboxes.
    pub sandboxes: u64,
    /// Deliveries by result.
    pub deliveries: BTreeMap<String, u64>,
    /// Half of the events were decided within this, microseconds.
    pub accept_to_decided_p50_us: Option<f64>,
    /// 99 of 100 events were.
    pub accept_to_decided_p99_us: Option<f64>,
    /// Memory of the process at the end, bytes.
    pub rss_bytes: Option<u64>,
    /// Each capability's calls.
    pub capabilities: Vec<Latency>,
    /// Each field with its source.
    pub fields: Vec<Ownership>,
    /// A customer with a bit of everything.
    pub profile: Option<Portrait>,
    /// A field that capabilities disagree on.
    pub disagreement: Option<Disagreement>,
    /// A proposal that was refused.
    pub refusal: Option<Refusal>,
    /// What an administrator did with all this, once it was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owning: Option<Owning>,
    /// What was sent to the membership system, and about how many customers it agrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<MembershipCounts>,
}

/// How a capability did.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// Which.
    pub name: String,
    /// How often it was called.
    pub calls: u64,
    /// Half of the calls took less, microseconds. Infinite beyond what the host measures.
    pub p50_us: Option<f64>,
    /// 99 of 100 calls took less, microseconds.
    pub p99_us: Option<f64>,
    /// Calls that failed.
    pub failures: u64,
}

/// A field and its capabilities.
#[derive(Debug, Serialize)]
pub struct Ownership {
    /// The field.
    pub field: String,
    /// Its type.
    pub r#type: String,
    /// Its source.
    pub source: Option<String>,
    /// Other capabilities that make claims.
    pub also_claimed_by: Vec<String>,
    /// The capabilities that read it.
    pub read_by: Vec<String>,
}

/// The event that something comes from.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cause {
    /// Where it stands in the log.
    pub position: String,
    /// What happened.
    pub event: String,
    /// The application that sent it.
    pub application: String,
    /// When it happened.
    pub at: String,
    /// Whether it was invented.
    pub synthetic: bool,
    /// Whether a capability was told of a change that the event made, and not of the event.
    pub by_change: bool,
}

/// A customer with every data point.
#[derive(Debug, Serialize)]
pub struct Portrait {
    /// The id in the data.
    pub customer_id: String,
    /// The profile's id.
    pub profile: String,
    /// Every visible value.
    pub values: Vec<DataPoint>,
}

/// A value with its source and its cause.
#[derive(Debug, Serialize)]
pub struct DataPoint {
    /// The field.
    pub field: String,
    /// Its value.
    pub value: Value,
    /// Whose claim it is.
    pub source: String,
    /// The event it comes from.
    pub cause: Cause,
}

/// Two claims for one field.
#[derive(Debug, Serialize)]
pub struct Disagreement {
    /// The id in the data.
    pub customer_id: String,
    /// The field.
    pub field: String,
    /// The claims.
    pub claims: Vec<OneSays>,
}

/// One capability's claim.
#[derive(Debug, Serialize)]
pub struct OneSays {
    /// The capability.
    pub by: String,
    /// The value.
    pub value: Value,
    /// Whether everybody sees it.
    pub visible: bool,
    /// The event it comes from.
    pub cause: Cause,
}

/// A proposal that a source refused.
#[derive(Debug, Serialize)]
pub struct Refusal {
    /// The event's id.
    pub event_id: String,
    /// What happened.
    pub event: String,
    /// The id in the data.
    pub customer_id: String,
    /// The field.
    pub field: String,
    /// What was proposed.
    pub proposed: Value,
    /// The capability that rejected it.
    pub source: String,
    /// Why, as a stable word.
    pub code: String,
    /// Why, as a sentence.
    pub message: String,
}

/// Asks the host for everything that is shown.
pub fn gather(measured: Measured, cast: &Cast, clients: &Clients) -> Result<Summary, ClientError> {
    let client = clients.of(Sender::Web);
    let status = client.status()?.body;
    let metrics = client.metrics()?;
    let latency = |found: samsyn_client::wire::CapabilityStatus| {
        let label = format!("capability=\"{}\"", found.name);
        let calls = Histogram::find(&metrics, "samsyn_call_seconds", &label);
        let [p50_us, p99_us] = [0.5, 0.99].map(|share| calls.quantile_us(share));
        Latency { name: found.name, calls: found.calls, p50_us, p99_us, failures: found.failures }
    };
    let decided = Histogram::find(&metrics, "samsyn_accept_to_decided_seconds", "");
    Ok(Summary {
        measured,
        profiles: status.profiles,
        sandboxes: status.sandboxes,
        deliveries: status.deliveries,
        accept_to_decided_p50_us: decided.quantile_us(0.5),
        accept_to_decided_p99_us: decided.quantile_us(0.99),
        rss_bytes: Some(status.rss_bytes).filter(|bytes| *bytes > 0),
        capabilities: status.capabilities.into_iter().map(latency).collect(),
        fields: ownership(client)?,
        profile: portrait(cast, client)?,
        disagreement: disagreement(cast, client)?,
        refusal: refusal(cast, client)?,
        owning: None,
        membership: None,
    })
}

fn ownership(client: &Client) -> Result<Vec<Ownership>, ClientError> {
    let owned = |field: samsyn_client::wire::Field| {
        let source = field.source.clone();
        let others = field.claimed_by.into_iter().filter(|by| Some(by) != source.as_ref());
        Ownership {
            field: field.name,
            r#type: field.kind,
            also_claimed_by: others.collect(),
            source: field.source,
            read_by: field.consumed_by,
        }
    };
    Ok(client.fields()?.items.into_iter().map(|item| owned(item.body)).collect())
}

/// The first candidate with the most data points.
fn portrait(cast: &Cast, client: &Client) -> Result<Option<Portrait>, ClientError> {
    // In a small demo nobody may have done everything; anybody will do then.
    let fallback = cast.divided.iter().chain(cast.refused.iter().map(|doubtful| &doubtful.customer_id));
    let candidates: Vec<&String> =
        if cast.stars.is_empty() { fallback.collect() } else { cast.stars.iter().collect() };
    let mut best: Option<(&String, samsyn_client::wire::Profile<'_>)> = None;
    for customer_id in candidates {
        let found = client.profile(&reference(customer_id), &[], false)?.body;
        if best.as_ref().is_none_or(|(_, best)| best.fields.len() < found.fields.len()) {
            best = Some((customer_id, found));
        }
    }
    let Some((customer_id, found)) = best else { return Ok(None) };
    let mut causes = Causes::new(client, customer_id);
    let mut values = Vec::new();
    for (field, value) in found.fields {
        let origin = found.meta.get(&field);
        let cause = causes.of(origin.map(|origin| &*origin.cause))?;
        let source = origin.map(|origin| origin.source.to_string()).unwrap_or_default();
        values.push(DataPoint { field: field.into_owned(), value: value.into_json(), source, cause });
    }
    Ok(Some(Portrait { customer_id: customer_id.clone(), profile: found.id.to_string(), values }))
}

fn disagreement(cast: &Cast, client: &Client) -> Result<Option<Disagreement>, ClientError> {
    for customer_id in &cast.divided {
        let found = client.profile(&reference(customer_id), &[], true)?.body;
        let differ = |claims: &Vec<Claim<'_>>| claims.windows(2).any(|pair| pair[0].value != pair[1].value);
        let Some((field, claims)) = found.claims.into_iter().flatten().find(|(_, claims)| differ(claims))
        else {
            continue;
        };
        let mut causes = Causes::new(client, customer_id);
        let mut says = Vec::new();
        for claim in claims {
            let cause = causes.of(claim.cause.as_deref())?;
            let (by, value) = (claim.by.into_owned(), claim.value.into_json());
            says.push(OneSays { by, value, visible: claim.visible, cause });
        }
        return Ok(Some(Disagreement {
            customer_id: customer_id.clone(),
            field: field.into_owned(),
            claims: says,
        }));
    }
    Ok(None)
}

fn refusal(cast: &Cast, client: &Client) -> Result<Option<Refusal>, ClientError> {
    for Doubtful { id, customer_id, proposes } in &cast.refused {
        let Some(event) = client.event(id)? else { continue };
        let event = event.body;
        let refused = event.fields.into_iter().find(|(_, outcome)| outcome.outcome == "refused");
        let Some((field, outcome)) = refused else { continue };
        return Ok(Some(Refusal {
            event_id: id.clone(),
            event: event.name.into_owned(),
            customer_id: customer_id.clone(),
            proposed: proposes[&*field].clone(),
            field: field.into_owned(),
            source: outcome.source.unwrap_or_default().into_owned(),
            code: outcome.code.unwrap_or_default().into_owned(),
            message: outcome.message.unwrap_or_default().into_owned(),
        }));
    }
    Ok(None)
}

/// Looks one customer's causes up, each once.
struct Causes<'a> {
    client: &'a Client,
    customer_id: &'a str,
    known: BTreeMap<String, Cause>,
    /// Decisions and what caused them; asked for when a cause is no event.
    decisions: Option<BTreeMap<String, String>>,
}

impl<'a> Causes<'a> {
    fn new(client: &'a Client, customer_id: &'a str) -> Causes<'a> {
        Causes { client, customer_id, known: BTreeMap::new(), decisions: None }
    }

    fn of(&mut self, position: Option<&str>) -> Result<Cause, ClientError> {
        let Some(position) = position else { return Ok(Cause::default()) };
        if let Some(known) = self.known.get(position) {
            return Ok(known.clone());
        }
        let mut cause = Cause { position: position.to_owned(), ..Cause::default() };
        let mut found = self.client.event(position)?;
        if found.is_none()
            && let Some(event) = self.cause_of_change(position)?
        {
            cause.by_change = true;
            found = self.client.event(&event)?;
        }
        if let Some(event) = found {
            cause.synthetic = is_synthetic(&event.body.id);
            cause.event = event.body.name.into_owned();
            cause.application = event.body.application.unwrap_or_default().into_owned();
            cause.at = event.body.at.to_string();
        }
        self.known.insert(position.to_owned(), cause.clone());
        Ok(cause)
    }

    /// The event behind the decision that this item is of: a change is an item of a decision.
    fn cause_of_change(&mut self, position: &str) -> Result<Option<String>, ClientError> {
        if self.decisions.is_none() {
            let items = self.client.timeline(&reference(self.customer_id), TIMELINE_ITEMS_MAX)?.items;
            let pairs = items.into_iter().map(|item| (item.body.position.to_string(), item.body.cause));
            self.decisions = Some(pairs.collect());
        }
        let record = position.split('.').next().unwrap_or(position);
        Ok(self.decisions.as_ref().and_then(|decisions| decisions.get(record).cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(accepted: u64, refused: u64, refused_synthetic: u64) -> Measured {
        let summary = samsyn_import::Summary { accepted, refused, ..Default::default() };
        Measured::of(&Sent { summary, refused_synthetic }, 60, 40)
    }

    #[test]
    fn what_is_told_adds_up_and_what_is_missing_fails() {
        assert!(measured(100, 0, 0).check().is_ok());
        for (accepted, refused, refused_synthetic) in [(95, 5, 2), (95, 5, 5), (95, 5, 0)] {
            let found = measured(accepted, refused, refused_synthetic);
            assert_eq!(found.purchases + found.synthetic, found.accepted);
            assert_eq!(found.accepted + found.refused, found.sent);
            assert!(found.check().unwrap_err().what.contains("5 of 100"), "{found:?}");
        }
        assert!(measured(95, 0, 0).check().is_err(), "what has no answer is missing too");
    }
}

//! The demo's last act: what an administrator does with what the purchases left. Two capabilities
//! that disagree are counted, a field is given to the other one as a plan only, a customer proposes
//! something, and a vendor is swapped and swapped back while an opt-out stays.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::purchases::reference;
use super::stage::Component;
use samsyn_client::wire::request::Assignment;
use samsyn_client::wire::{FieldAssignmentPlan, Pair};
use samsyn_client::{Client, ClientError, InstallHow};
use samsyn_vocabulary::{CapabilityName, FieldName};

/// The field that two departments of the demo keep.
const DISPUTED: &str = "country";
/// The new source in the plan.
const RIVAL: &str = "sms";
/// The customer register, for which a successor is tried.
const REGISTER: &str = "crm";
/// What the customer wants to stay said.
const OPT_OUT: &str = "marketing_opted_out";
/// What they write about themselves, with the spaces a form brings along.
const NAME: &str = "first_name";
/// How long a decision may take, seconds.
const DECISION_SECONDS: u32 = 10;

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Owning {
    /// How far two capabilities agree.
    pub disagreements: Option<Agreement>,
    /// What giving the field to the other would change.
    pub plan: Option<Plan>,
    /// What a customer proposed, and what the source made of it.
    pub proposal: Option<Proposed>,
    /// The opt-out, under one source after the other.
    pub swap: Option<Swap>,
}

/// How far two capabilities agree about a field.
#[derive(Debug, Serialize)]
pub struct Agreement {
    /// The field.
    pub field: String,
    /// The two.
    pub between: [String; 2],
    /// Customers both speak of.
    pub both: u64,
    /// Customers they say the same of.
    pub agree: u64,
    /// Customers they say something else of.
    pub differ: u64,
}

/// What an assignment would change.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// The field.
    pub field: String,
    /// Its source.
    pub from: Option<String>,
    /// Its source then.
    pub to: Option<String>,
    /// Customers whose value would be another one.
    pub changed: u64,
    /// Customers who would keep the former source's value, for the new one has none.
    pub inherited: u64,
}

/// A proposal and its outcome.
#[derive(Debug, Serialize)]
pub struct Proposed {
    /// The customer.
    pub customer_id: String,
    /// The field.
    pub field: String,
    /// What was proposed.
    pub proposed: Value,
    /// What became of it.
    pub outcome: String,
    /// The source that decided.
    pub source: String,
    /// The value.
    pub value: Value,
}

/// An opt-out through a swap and back.
#[derive(Debug, Serialize)]
pub struct Swap {
    /// The customer who opted out.
    pub customer_id: String,
    /// The field.
    pub field: String,
    /// How many fields were handed over, and back.
    pub fields: usize,
    /// Each source in turn, and what everybody saw.
    pub steps: Vec<(String, Value)>,
}

/// Plays it with a customer who has a name; without one only what needs none. The successor leaves
/// the stage at the end, and everything has the source it had.
pub fn play(client: &Client, customer: Option<&str>, successor: &Component) -> Result<Owning, ClientError> {
    let (proposal, swap) = match customer {
        Some(customer) => (propose(client, customer)?, Some(swap(client, customer, successor)?)),
        None => (None, None),
    };
    let pairs = client.disagreements_of(DISPUTED)?.body.pairs;
    let plan = client.plan_assignment(&giving(&[DISPUTED], None, RIVAL))?.body;
    Ok(Owning {
        disagreements: pairs.into_iter().next().map(agreement),
        plan: plan.fields.into_iter().next().map(planned),
        proposal,
        swap,
    })
}

fn giving(fields: &[&str], from: Option<&str>, to: &str) -> Assignment {
    let capability = |name: &str| CapabilityName::new(name).expect("a capability of the demo");
    Assignment {
        fields: fields.iter().map(|field| FieldName::new(field).expect("a field of the demo")).collect(),
        from: from.map(capability),
        all: from.is_some(),
        to: Some(capability(to)),
        ..Assignment::default()
    }
}

fn agreement(pair: Pair<'_>) -> Agreement {
    let Pair { one, other, both, agree, differ, .. } = pair;
    Agreement {
        field: DISPUTED.to_owned(),
        between: [one.into_owned(), other.into_owned()],
        both,
        agree,
        differ,
    }
}

fn planned(plan: FieldAssignmentPlan<'_>) -> Plan {
    let FieldAssignmentPlan { field, from, to, changed, without_claim, .. } = plan;
    Plan { field, from, to, changed, inherited: without_claim.inherit }
}

fn values(client: &Client, customer: &str) -> Result<Map<String, Value>, ClientError> {
    let answer = client.profile(&reference(customer), &[], false)?;
    let read: Value = serde_json::from_str(&answer.raw).unwrap_or_default();
    Ok(read["fields"].as_object().cloned().unwrap_or_default())
}

/// The customer says again who they are, with spaces, and that they want no offers.
fn propose(client: &Client, customer: &str) -> Result<Option<Proposed>, ClientError> {
    let known = values(client, customer)?;
    let Some(name) = known.get(NAME).and_then(Value::as_str) else { return Ok(None) };
    let proposed = json!(format!("  {name} "));
    let fields = Map::from_iter([(NAME.to_owned(), proposed.clone()), (OPT_OUT.to_owned(), json!(true))]);
    let mut event = client.propose(&reference(customer), &fields, Some(DECISION_SECONDS))?.body.event;
    Ok(event.fields.remove(NAME).map(|outcome| Proposed {
        customer_id: customer.to_owned(),
        field: NAME.to_owned(),
        proposed,
        outcome: outcome.outcome.into_owned(),
        source: outcome.source.unwrap_or_default().into_owned(),
        value: outcome.value.unwrap_or_default().into_json(),
    }))
}

fn swap(client: &Client, customer: &str, successor: &Component) -> Result<Swap, ClientError> {
    client.install(&successor.bytes, InstallHow::default())?;
    let mut swap =
        Swap { customer_id: customer.to_owned(), field: OPT_OUT.to_owned(), fields: 0, steps: Vec::new() };
    let mut look = |source: &str| -> Result<(), ClientError> {
        let mut now = values(client, customer)?;
        swap.steps.push((source.to_owned(), now.remove(OPT_OUT).unwrap_or_default()));
        Ok(())
    };
    look(REGISTER)?;
    let handed = client.assign(&giving(&[], Some(REGISTER), successor.name), None)?.body.plan.fields.len();
    look(successor.name)?;
    client.assign(&giving(&[], Some(successor.name), REGISTER), None)?;
    look(REGISTER)?;
    swap.fields = handed;
    client.remove(successor.name, false, None)?;
    Ok(swap)
}

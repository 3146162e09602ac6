//! The loyalty capability: points and tiers from purchases.
//!
//! It sources `loyalty.points`, `loyalty.tier`, `loyalty.tier_until` and `loyalty.member_since`,
//! and emits `loyalty.tier_reached`. What it promises:
//!
//! - **An order counts once**, by its `order_id`, and gives its amount × `points_per_unit`,
//!   rounded down. The rate is the one set when the order came. The same id with another amount
//!   is refused: a difference is a refund or another order.
//! - **An order completed again after its cancellation counts again**, in full, on its day then.
//!   Their own times say which came after which, in whatever order they arrive; of a cancellation
//!   and a completion at one moment the cancellation holds. With another amount it is taken once
//!   its cancellation is known. What was refunded until it was completed again stays with the order
//!   as it was before. An order that refunds with amounts used up isn't cancelled: completed again
//!   it is refused (`order.refunded`).
//! - **A refund takes back what its part of the order gave**: the order's points are then what is
//!   left of it × the order's rate, rounded down. Parts add up to at most the order; without an
//!   amount, and for `order.cancelled`, it is the whole as it was completed until then. A refund
//!   that comes first waits for its order. A refund counts once by its `refund_id`, else by its
//!   event's id. The balance may go below zero when the points were spent before: the next orders
//!   pay that back.
//! - **Redeeming** takes at most the points there are when it arrives, once by its
//!   `redemption_id`, else by its event's id. It never touches the tier.
//! - **`loyalty.redemption_cancelled` gives redeemed points back**, for instance when the order
//!   they paid for is refunded: all of the redemption, or the part that `points` says, once by its
//!   `cancellation_id`, else by its event's id. Parts add up to at most the redemption. A
//!   cancellation that comes first waits for its redemption. The id of a redemption all of which
//!   was given back isn't used again: another one under it is refused.
//! - **The tier** follows points earned (less refunds) over 365 days: an order counts on its own
//!   day, in UTC, and the 364 after. Today is the day of the customer's newest event, since a
//!   plug-in has no clock: until something happens, `loyalty.tier_until` tells when it ends.
//! - **Arrival order doesn't matter**, except for whether there are points to redeem and for who
//!   heard of which tier when: the same events give the same fields.
//! - **`loyalty.tier_reached`** is emitted when an event lifts the customer to a higher tier than
//!   they had just before it; a tier that ran out and is earned again is reached again.
//! - **Nothing else earns**: an amount that isn't above zero, or is in another currency than the
//!   setting `currency`, is refused. Without a currency the setting's is meant.
//!
//! `ledger.rs` says what is bounded and what that means; `money.rs` how numbers round;
//! `refused.rs` lists the codes.

mod key;
mod ledger;
mod memory;
mod money;
mod refused;
mod tier;

use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber, Value};

use key::Key;
use ledger::{Ledger, RedemptionKeys, Standing};
use money::{Amount, Rate};
use refused::Refused;
use tier::{Thresholds, Tier};

/// The plug-in.
struct Loyalty;

impl Subscriber for Loyalty {
    fn on_event(
        event: &Event,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let thresholds = thresholds(settings)?;
        let before = memory::recall(profile)?;
        let mut ledger = before.clone();
        let previous = ledger.tier_before(event.at(), thresholds);
        match take(event, settings, &mut ledger) {
            Ok(None) => {}
            Ok(Some(refused)) => effects.refuse_all(refused.code(), &refused.to_string())?,
            Err(Stop::Refused(refused)) => {
                return Ok(effects.refuse_all(refused.code(), &refused.to_string())?);
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
        let standing = ledger.announce(thresholds);
        if ledger == before {
            return Ok(());
        }
        if let Some(standing) = standing {
            show(&standing, profile, effects)?;
            if standing.tier > previous {
                reached(standing.tier, previous, effects)?;
            }
        }
        effects.remember(&ledger)
    }
}

samsyn_plugin::export!(Loyalty: Subscriber);

/// Why an event isn't taken.
enum Stop {
    /// Its data makes no sense.
    Refused(Refused),
    /// The plug-in can't go on.
    Failed(Error),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Stop {
        Stop::Refused(refused)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

/// Enters an event into the ledger. What comes back was learned and is refused all the same.
fn take(event: &Event, settings: &Settings, ledger: &mut Ledger) -> Result<Option<Refused>, Stop> {
    let at = event.at();
    match event.name() {
        "order.completed" => {
            let order_id = order_id(event)?;
            check_currency(event, settings)?;
            let amount = Amount::rounded(event.decimal("amount")?).ok_or(Refused::Amount)?;
            return Ok(ledger.complete(Key::order(order_id), amount, rate(settings)?, at)?);
        }
        "order.refunded" => {
            let order_id = order_id(event)?;
            check_currency(event, settings)?;
            match event.decimal_opt("amount") {
                None => ledger.cancel(Key::order(order_id), at),
                Some(amount) => {
                    let amount = Amount::rounded(amount).ok_or(Refused::Amount)?;
                    let id = Key::refund(order_id, event.text_opt("refund_id"), event.id());
                    ledger.refund(Key::order(order_id), id, amount, at)?;
                }
            }
        }
        "order.cancelled" => ledger.cancel(Key::order(order_id(event)?), at),
        "loyalty.redeemed" => {
            let id = event.text_opt("redemption_id");
            let keys = redemption_keys(id.unwrap_or(event.id()));
            ledger.redeem(keys, id.is_some(), event.integer("points")?, at)?;
        }
        "loyalty.redemption_cancelled" => {
            let id = event.text("redemption_id")?;
            if id.trim().is_empty() {
                return Err(Refused::RedemptionId.into());
            }
            let part_key = Key::given_back(id, event.text_opt("cancellation_id"), event.id());
            let part = event.integer_opt("points").map(|points| (part_key, points));
            ledger.give_back(redemption_keys(id), part, at)?;
        }
        other => {
            return Err(
                Error::other(format!("there is no rule for {other}; take it out of plugin.toml")).into()
            );
        }
    }
    Ok(None)
}

/// Of a redemption by its id, else by its event's.
fn redemption_keys(id: &str) -> RedemptionKeys {
    RedemptionKeys { called: Key::redemption(Some(id), ""), by_event: Key::redemption(None, id) }
}

fn order_id(event: &Event) -> Result<&str, Stop> {
    let id = event.text("order_id")?.trim();
    if id.is_empty() { Err(Refused::OrderId.into()) } else { Ok(id) }
}

fn check_currency(event: &Event, settings: &Settings) -> Result<(), Stop> {
    let Some(currency) = event.text_opt("currency") else { return Ok(()) };
    let wanted = settings.text("currency")?;
    if currency.trim().eq_ignore_ascii_case(wanted.trim()) { Ok(()) } else { Err(Refused::Currency.into()) }
}

fn rate(settings: &Settings) -> Result<Rate, Error> {
    let rate = Rate::exactly(settings.decimal("points_per_unit")?);
    rate.ok_or_else(|| {
        Error::from("points_per_unit is not from 0 to 1000 with at most six decimals; set it so")
    })
}

fn thresholds(settings: &Settings) -> Result<Thresholds, Error> {
    let (silver, gold) = (settings.integer("silver_at")?, settings.integer("gold_at")?);
    Thresholds::new(silver, gold).ok_or_else(|| {
        Error::other(format!(
            "silver_at ({silver}) and gold_at ({gold}) must be 0 or more, and gold not below silver"
        ))
    })
}

/// Claims what changed. The profile holds this plug-in's own claims, so an equal one needs no call.
fn show(standing: &Standing, profile: &Profile, effects: &mut Effects) -> Result<(), Error> {
    let fields: [(&str, Option<Value>); 4] = [
        ("loyalty.points", Some(standing.points.into())),
        ("loyalty.tier", Some(standing.tier.as_str().into())),
        ("loyalty.tier_until", standing.tier_until.map(Value::from)),
        ("loyalty.member_since", Some(standing.member_since.into())),
    ];
    for (field, value) in fields {
        if profile.get(field) == value.as_ref() {
            continue;
        }
        match value {
            Some(value) => effects.set(field, value)?,
            None => effects.clear(field)?,
        }
    }
    Ok(())
}

fn reached(tier: Tier, previous: Tier, effects: &mut Effects) -> Result<(), Error> {
    let properties = [("tier", tier.as_str().into()), ("previous", previous.as_str().into())];
    Ok(effects.emit("loyalty.tier_reached", properties)?)
}

#[cfg(test)]
mod tests;

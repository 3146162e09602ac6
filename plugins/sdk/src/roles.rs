//! The roles of a plug-in. Each role is a pure function: its result depends on its arguments alone.
//! So it can be tested, replayed over history, and compared with its next version.

use crate::{
    Answer, Change, Effects, Error, Event, Finding, Profile, Proposal, Response, Settings, Timestamp,
};

/// Handles the events that the manifest subscribes to.
///
/// ```
/// use samsyn_plugin::testing::{Host, event};
/// use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber};
///
/// /// Counts orders, and refuses an order without an id.
/// struct Orders;
///
/// impl Subscriber for Orders {
///     fn on_event(event: &Event, profile: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
///         if event.text("order_id")?.is_empty() {
///             effects.refuse_all("order.id-empty", "An order needs an id.")?;
///             return Ok(());
///         }
///         effects.set("shop.orders", profile.integer("shop.orders").unwrap_or(0) + 1)?;
///         Ok(())
///     }
/// }
///
/// const MANIFEST: &str = r#"
/// manifest = 1
/// [plugin]
/// name = "orders"
/// version = "0.1.0"
/// owner = "Web team"
/// description = "Counts orders"
/// [subscribes."order.completed"]
/// order_id = { type = "text", required = true }
/// [sources]
/// "shop.orders" = { type = "integer" }
/// "#;
///
/// let host = Host::from_manifest(MANIFEST);
/// let mut anna = host.customer();
/// anna.on_event::<Orders>(&event("order.completed").property("order_id", "A1"));
/// anna.on_event::<Orders>(&event("order.completed").property("order_id", "A2"));
/// assert_eq!(anna.value("shop.orders"), Some(&2.into()));
///
/// let empty = anna.on_event::<Orders>(&event("order.completed").property("order_id", ""));
/// assert_eq!(empty.refusals(), [(None, "order.id-empty")]);
/// assert_eq!(anna.value("shop.orders"), Some(&2.into()));
/// ```
pub trait Subscriber {
    /// Invoked once for every such event, in the order of the log. Events can be late or out of
    /// order by [`Event::at`]: calculate with that time, never with the order of invocations.
    ///
    /// # Errors
    ///
    /// An error parks this invocation and holds the customer's next ones.
    fn on_event(
        event: &Event,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error>;
}

/// Decides the fields that the manifest sources.
///
/// ```
/// use samsyn_plugin::testing::{Host, profile, proposal};
/// use samsyn_plugin::{Effects, Error, Profile, Proposal, Settings, Source};
///
/// /// Stores country codes in capitals, and refuses everything else.
/// struct Countries;
///
/// impl Source for Countries {
///     fn on_proposal(
///         proposals: &[Proposal],
///         _: &Profile,
///         _: &Settings,
///         effects: &mut Effects,
///     ) -> Result<(), Error> {
///         for proposal in proposals {
///             match proposal.text() {
///                 Some(code) if code.len() == 2 => effects.set(&proposal.field, code.to_ascii_uppercase())?,
///                 Some(_) => effects.refuse(&proposal.field, "country.code", "Use two letters, such as SE.")?,
///                 None => effects.clear(&proposal.field)?,
///             }
///         }
///         Ok(())
///     }
/// }
///
/// const MANIFEST: &str = r#"
/// manifest = 1
/// [plugin]
/// name = "countries"
/// version = "0.1.0"
/// owner = "CRM team"
/// description = "Where a customer lives"
/// [sources]
/// country = { type = "text", class = "personal" }
/// "#;
///
/// let host = Host::from_manifest(MANIFEST);
/// let run = host.on_proposal::<Countries>(&[proposal("country", "se")], &profile());
/// assert_eq!(run.claim("country"), Some(&"SE".into()));
///
/// let run = host.on_proposal::<Countries>(&[proposal("country", "Sweden")], &profile());
/// assert_eq!(run.refusals(), [(Some("country"), "country.code")]);
///
/// let run = host.on_proposal::<Countries>(&[proposal("country", None)], &profile().point("country", "SE"));
/// assert!(run.cleared("country"));
/// ```
pub trait Source {
    /// Invoked with the proposals of one event or request, at most one a field. The plug-in
    /// answers field by field: it sets, clears or refuses. A field without an effect is recorded
    /// as "no answer".
    ///
    /// # Errors
    ///
    /// An error parks this invocation. An invalid value is no error: refuse it.
    fn on_proposal(
        proposals: &[Proposal],
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error>;
}

/// Observes changes of visible values of fields that the manifest consumes with `notify = true`.
///
/// ```
/// use samsyn_plugin::testing::{Host, change};
/// use samsyn_plugin::{Change, Effects, Error, Observer, Profile, Settings, Timestamp};
///
/// /// Asks for a new confirmation when the e-mail address changes.
/// struct Confirmation;
///
/// impl Observer for Confirmation {
///     fn on_change(
///         changes: &[Change],
///         at: Timestamp,
///         profile: &Profile,
///         _: &Settings,
///         effects: &mut Effects,
///     ) -> Result<(), Error> {
///         // The profile holds the values after the changes.
///         assert_eq!(profile.get("email"), changes[0].after.as_ref());
///         effects.set("mail.changed_on", at.date())?;
///         effects.set("mail.confirmed", false)?;
///         Ok(())
///     }
/// }
///
/// const MANIFEST: &str = r#"
/// manifest = 1
/// [plugin]
/// name = "confirmation"
/// version = "0.1.0"
/// owner = "Mail team"
/// description = "Whether an address was confirmed"
/// [sources]
/// "mail.changed_on" = { type = "date" }
/// "mail.confirmed" = { type = "boolean" }
/// [consumes]
/// email = { purposes = ["service"], notify = true }
/// "#;
///
/// let host = Host::from_manifest(MANIFEST);
/// let mut anna = host.customer();
/// let new_address = change("email", None, Some("anna@example.com".into()));
/// let run = anna.on_change::<Confirmation>(&[new_address], "2026-11-21T10:00:00Z");
/// assert_eq!(run.result, Ok(()));
/// assert_eq!(run.claim("mail.confirmed"), Some(&false.into()));
/// assert_eq!(anna.value("email"), Some(&"anna@example.com".into()));
/// ```
pub trait Observer {
    /// Invoked once a record with all its changes; never with the plug-in's own.
    ///
    /// # Errors
    ///
    /// An error parks this invocation.
    fn on_change(
        changes: &[Change],
        at: Timestamp,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error>;
}

/// Is invoked when a timer is due that the plug-in set with
/// [`set_timer`](crate::Effects::set_timer).
///
/// ```
/// use samsyn_plugin::testing::{Host, event};
/// use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber, Timed, Timestamp};
///
/// /// A customer is inactive when there was no order for 30 days.
/// struct Activity;
///
/// const DAYS_30: i64 = 30 * 24 * 60 * 60 * 1_000;
///
/// impl Subscriber for Activity {
///     fn on_event(event: &Event, _: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
///         effects.set("shop.active", true)?;
///         // The next order sets the timer again, which replaces it.
///         effects.set_timer("inactive", Timestamp::from_millis(event.at().millis() + DAYS_30))?;
///         Ok(())
///     }
/// }
///
/// impl Timed for Activity {
///     fn on_timer(
///         name: &str,
///         _: Timestamp,
///         _: Timestamp,
///         _: &Profile,
///         _: &Settings,
///         effects: &mut Effects,
///     ) -> Result<(), Error> {
///         assert_eq!(name, "inactive");
///         effects.set("shop.active", false)?;
///         Ok(())
///     }
/// }
///
/// const MANIFEST: &str = r#"
/// manifest = 1
/// [plugin]
/// name = "activity"
/// version = "0.1.0"
/// owner = "Web team"
/// description = "Who orders"
/// timers = true
/// [subscribes."order.completed"]
/// [sources]
/// "shop.active" = { type = "boolean" }
/// "#;
///
/// let host = Host::from_manifest(MANIFEST);
/// let mut anna = host.customer();
/// anna.on_event::<Activity>(&event("order.completed").at("2026-11-01T10:00:00Z"));
/// anna.on_event::<Activity>(&event("order.completed").at("2026-11-21T10:00:00Z"));
/// assert!(anna.fire_timers::<Activity>("2026-12-20T00:00:00Z").is_empty());
/// assert_eq!(anna.timer("inactive"), Some("2026-12-21T10:00:00Z".parse().unwrap()));
/// anna.fire_timers::<Activity>("2026-12-22T00:00:00Z");
/// assert_eq!(anna.value("shop.active"), Some(&false.into()));
/// assert_eq!(anna.timer("inactive"), None);
/// ```
pub trait Timed {
    /// Invoked once for each timer. `due` is the time that was set. `now` is when the host fired the
    /// timer, which is later after a downtime: judge the lateness by these two, because a handler has
    /// no clock.
    ///
    /// # Errors
    ///
    /// An error parks this invocation. The timer doesn't fire again.
    fn on_timer(
        name: &str,
        due: Timestamp,
        now: Timestamp,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error>;
}

/// Hears the answers to the calls that the plug-in began with [`call`](crate::Effects::call).
///
/// ```
/// use samsyn_plugin::testing::{Host, event};
/// use samsyn_plugin::{Answer, Caller, Effects, Error, Event, Profile, Response, Settings, Subscriber, Timestamp};
///
/// /// Tells the club's system of new members.
/// struct Club;
///
/// impl Subscriber for Club {
///     fn on_event(event: &Event, _: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
///         let number = event.text("number")?;
///         effects.call("club", "PUT", &format!("members/{number}"))?.body("application/json", "{}")?;
///         Ok(())
///     }
/// }
///
/// impl Caller for Club {
///     fn on_answer(
///         _: &str,
///         answer: &Answer,
///         _: Option<&[u8]>,
///         at: Timestamp,
///         _: &Profile,
///         _: &Settings,
///         effects: &mut Effects,
///     ) -> Result<(), Error> {
///         match answer.success() {
///             Some(_) => effects.set("club.member_since", at.date())?,
///             None => effects.clear("club.member_since")?,
///         }
///         Ok(())
///     }
/// }
///
/// const MANIFEST: &str = r#"
/// manifest = 1
/// [plugin]
/// name = "club"
/// version = "0.1.0"
/// owner = "Club team"
/// description = "Who is a member"
/// [subscribes."member.joined"]
/// number = { type = "text", required = true }
/// [sources]
/// "club.member_since" = { type = "date" }
/// [calls.club]
/// reason = "The club's system makes the card"
/// methods = ["PUT"]
/// repeat = "keyed"
/// key = { header = "Idempotency-Key", hours = 24 }
/// "#;
///
/// let host = Host::from_manifest(MANIFEST);
/// let mut anna = host.customer();
/// let run = anna.on_event::<Club>(&event("member.joined").property("number", "42"));
/// assert_eq!(run.calls("club")[0].path, "members/42");
///
/// let ok = Answer::Response(Response { status: 201, ..Response::default() });
/// anna.answer::<Club>("club", &ok, "2026-11-21T10:00:00Z");
/// assert_eq!(anna.value("club.member_since"), Some(&"2026-11-21".parse::<samsyn_plugin::Date>().unwrap().into()));
/// ```
pub trait Caller {
    /// Invoked once for each call, with what it [noted](crate::Call::note). `at` is when the answer came. Calls of
    /// one customer to one endpoint are answered in their order.
    ///
    /// # Errors
    ///
    /// An error parks this invocation. The call isn't made again.
    fn on_answer(
        endpoint: &str,
        answer: &Answer,
        note: Option<&[u8]>,
        at: Timestamp,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error>;
}

/// Begins the look-up of a call that is in doubt; see [`Judge`] for an example.
pub trait Prober {
    /// Invoked when nobody knows whether the system has seen a call, with what that [noted](crate::Call::note). The
    /// plug-in begins one call that only reads: its answer goes to [`Judge`]. Without one, the call ends unknown.
    ///
    /// # Errors
    ///
    /// An error parks this invocation.
    fn on_doubt(
        endpoint: &str,
        note: Option<&[u8]>,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error>;
}

/// Judges the answer to a look-up that [`Prober`] began.
///
/// ```
/// use samsyn_plugin::testing::{Host, profile};
/// use samsyn_plugin::{Effects, Error, Finding, Judge, Prober, Profile, Response, Settings};
///
/// /// Orders cards. The shop takes no idempotency key, so a doubt is looked up by the order's own number.
/// struct Cards;
///
/// impl Prober for Cards {
///     fn on_doubt(
///         _: &str,
///         note: Option<&[u8]>,
///         _: &Profile,
///         _: &Settings,
///         effects: &mut Effects,
///     ) -> Result<(), Error> {
///         let number = std::str::from_utf8(note.unwrap_or_default()).map_err(Error::other)?;
///         effects.call("shop", "GET", &format!("orders/{number}"))?;
///         Ok(())
///     }
/// }
///
/// impl Judge for Cards {
///     fn on_lookup(
///         answer: &Response,
///         _: Option<&[u8]>,
///         _: &Profile,
///         _: &Settings,
///         _: &mut Effects,
///     ) -> Result<Finding, Error> {
///         Ok(match answer.status {
///             200 => Finding::Found,
///             404 => Finding::Absent,
///             _ => Finding::Unknown,
///         })
///     }
/// }
///
/// const MANIFEST: &str = r#"
/// manifest = 1
/// [plugin]
/// name = "cards"
/// version = "0.1.0"
/// owner = "Club team"
/// description = "Orders cards"
/// [calls.shop]
/// reason = "The shop prints the card"
/// methods = ["GET", "POST"]
/// repeat = "probe"
/// "#;
///
/// let host = Host::from_manifest(MANIFEST);
/// let run = host.on_doubt::<Cards>("shop", Some(b"A7"), &profile());
/// assert_eq!(run.calls("shop")[0].path, "orders/A7");
/// let not_found = Response { status: 404, ..Response::default() };
/// let (finding, _) = host.on_lookup::<Cards>(&not_found, Some(b"A7"), &profile());
/// assert_eq!(finding, Some(Finding::Absent));
/// ```
pub trait Judge {
    /// Invoked once for each look-up that was answered, with what the call in doubt had noted.
    ///
    /// # Errors
    ///
    /// An error parks this invocation.
    fn on_lookup(
        answer: &Response,
        note: Option<&[u8]>,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<Finding, Error>;
}

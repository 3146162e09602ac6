//! What a handler asks for.

#[cfg(target_family = "wasm")]
use crate::guest as host;
#[cfg(not(target_family = "wasm"))]
use crate::testing::recorder as host;

use crate::memory::{self, Memory};
use crate::{Call, Error, Refusal, Timestamp, Value};

/// What a handler asks for. Nothing happens until the handler returns ok. Then all effects happen
/// in one record. When it returns an error or panics, no effect happens.
///
/// The host checks every effect against the manifest and answers at once. Handle a [`Refusal`], or
/// return it with `?`. The last effect on a field counts. More than 256 effects in one invocation,
/// or more than 256 KiB of them, end it.
///
/// ```
/// use samsyn_plugin::testing::{Host, event};
/// use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber};
///
/// struct Tier;
///
/// impl Subscriber for Tier {
///     fn on_event(_: &Event, _: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
///         // The manifest doesn't source this field. The handler continues.
///         let refusal = effects.set("email", "anna@example.com").unwrap_err();
///         assert_eq!(refusal.code, "field.not-sourced");
///         effects.set("shop.tier", "gold")?;
///         effects.emit("shop.tier_reached", [("tier", "gold".into())])?;
///         Ok(())
///     }
/// }
///
/// let host = Host::from_manifest(
///     r#"
///     manifest = 1
///     [plugin]
///     name = "tier"
///     version = "0.1.0"
///     owner = "Membership team"
///     description = "Tiers"
///     [subscribes."order.completed"]
///     [emits."shop.tier_reached"]
///     tier = { type = "text" }
///     [sources]
///     "shop.tier" = { type = "text", one_of = ["gold"] }
///     "#,
/// );
/// let run = host.customer().on_event::<Tier>(&event("order.completed"));
/// assert_eq!(run.claim("shop.tier"), Some(&"gold".into()));
/// assert_eq!(run.emitted("shop.tier_reached").len(), 1);
/// // The host records the refusal in any case.
/// assert_eq!(run.host_refusals[0].code, "field.not-sourced");
/// ```
#[derive(Debug)]
pub struct Effects {
    pub(crate) host: host::Effects,
}

impl Effects {
    /// Claims a value for a field that the manifest sources. If this plug-in is the field's assigned
    /// source, the claim becomes the visible value; otherwise only administrators see it. The plug-in
    /// can't know which.
    ///
    /// # Errors
    ///
    /// `field.not-sourced`, `value.type`, `value.not-allowed`, `value.too-large` (32 KiB),
    /// `value.malformed`, `value.not-finite` or `value.control-characters`.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) -> Result<(), Refusal> {
        self.host.set(field, value.into())
    }

    /// Claims that the field has no value.
    ///
    /// # Errors
    ///
    /// `field.not-sourced`.
    pub fn clear(&mut self, field: &str) -> Result<(), Refusal> {
        self.host.clear(field)
    }

    /// Refuses one proposed field. This replaces an earlier claim for it in the same invocation.
    /// The plug-in chooses the `code` and keeps it stable, such as `phone.country-unknown`;
    /// `message` is a sentence for the sender.
    ///
    /// # Errors
    ///
    /// `field.not-sourced`, or `refuse.code`: a code is at most 64 lower-case letters, digits,
    /// `.`, `_` and `-`. `property.type` and `property.missing` are reserved for the host.
    pub fn refuse(&mut self, field: &str, code: &str, message: &str) -> Result<(), Refusal> {
        self.host.refuse(Some(field), code, message)
    }

    /// Refuses the whole input, because its data is invalid. Return ok after it: invalid data is no
    /// failure of the plug-in.
    ///
    /// # Errors
    ///
    /// `refuse.code`, as for [`refuse`](Effects::refuse).
    pub fn refuse_all(&mut self, code: &str, message: &str) -> Result<(), Refusal> {
        self.host.refuse(None, code, message)
    }

    /// Emits an event about this customer to the other capabilities:
    /// `effects.emit("loyalty.tier_reached", [("tier", "gold".into())])?`.
    ///
    /// # Errors
    ///
    /// `event.not-declared`, `event.property` (undeclared, or listed twice), `value.type` or another value code.
    pub fn emit<'a>(
        &mut self,
        name: &str,
        properties: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<(), Refusal> {
        let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value));
        self.host.emit(name, properties.collect())
    }

    /// Sets this plug-in's timer of that name for this customer, so that [`Timed`](crate::Timed) is
    /// invoked when `at` is reached; see there for an example. A timer of the same name is replaced.
    /// A time in the past fires soon, and no timer earlier than one second after it was set.
    ///
    /// # Errors
    ///
    /// `timer.not-declared` without `timers = true` in the manifest, `timer.name` (1 to 64 lower-case
    /// letters, digits, `.`, `_`, `-` and `:`), `timer.too-many` (32 for one customer) or
    /// `value.malformed` (a time outside the years 0000 to 9999).
    pub fn set_timer(&mut self, name: &str, at: Timestamp) -> Result<(), Refusal> {
        self.host.set_timer(name, at)
    }

    /// Cancels the timer of that name. When it isn't set, nothing changes.
    ///
    /// # Errors
    ///
    /// `timer.not-declared` or `timer.name`, as for [`set_timer`](Effects::set_timer).
    pub fn cancel_timer(&mut self, name: &str) -> Result<(), Refusal> {
        self.host.cancel_timer(name)
    }

    /// Begins a request to an endpoint of the manifest's `[calls.NAME]`; what it adds to the request stands behind it:
    /// `effects.call("crm", "PUT", "members/42")?.body("application/json", "{}")?.note("tier")?;`. The path is appended
    /// to the endpoint's base, which an administrator bound. The answer comes to [`Caller`](crate::Caller); see there
    /// for an example.
    ///
    /// # Errors
    ///
    /// `call.not-declared`, `call.not-bound`, `call.method`, `call.path` (it leaves the base, or has a character that
    /// must be percent-encoded) or `call.too-many` (32 calls wait for this customer).
    pub fn call(&mut self, endpoint: &str, method: &str, path: &str) -> Result<Call<'_>, Refusal> {
        let number = self.host.begin_call(endpoint, method, path)?;
        Ok(Call { effects: self, number })
    }

    /// Gives a row to an endpoint that has `rows` in the manifest: one JSON text, such as
    /// `{"email":"…","action":"join"}`, or for a table an array with a cell for each column. The host sends it in one
    /// request with the rows of other customers; the answer that comes to [`Caller`](crate::Caller) has the status of
    /// that request, and its headers and body only when the row was alone in it. Of the [`Call`] only
    /// [`note`](Call::note) can be used.
    ///
    /// ```
    /// use samsyn_plugin::testing::{Host, event};
    /// use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber};
    ///
    /// /// Keeps an audience.
    /// struct Audience;
    ///
    /// impl Subscriber for Audience {
    ///     fn on_event(event: &Event, _: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
    ///         let row = format!(r#"["{}", "join"]"#, event.text("hash")?);
    ///         effects.row("audience", row)?.note("join")?;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// const MANIFEST: &str = r#"
    /// manifest = 1
    /// [plugin]
    /// name = "audience"
    /// version = "0.1.0"
    /// owner = "Ads team"
    /// description = "Who is in the audience"
    /// [subscribes."audience.joined"]
    /// hash = { type = "text", required = true }
    /// [calls.audience]
    /// reason = "Keeps the audience of members"
    /// methods = ["POST"]
    /// [calls.audience.rows]
    /// path = "members:batch"
    /// format = "csv"
    /// columns = ["hash", "action"]
    /// "#;
    ///
    /// let host = Host::from_manifest(MANIFEST);
    /// let joined = event("audience.joined").property("hash", "9f86d0");
    /// let run = host.customer().on_event::<Audience>(&joined);
    /// let row = run.calls("audience")[0];
    /// assert!(row.is_row);
    /// assert_eq!(row.body.as_ref().unwrap().1, br#"["9f86d0","join"]"#);
    /// ```
    ///
    /// # Errors
    ///
    /// `call.not-declared`, `call.not-bound`, `call.method`, `call.row` (no JSON, more than 64 KiB or than the `bytes`
    /// of the manifest, or not a cell for each column) or `call.too-many` (32 calls wait for this customer).
    pub fn row(&mut self, endpoint: &str, row: impl AsRef<[u8]>) -> Result<Call<'_>, Refusal> {
        let number = self.host.call_row(endpoint, row.as_ref())?;
        Ok(Call { effects: self, number })
    }

    /// Keeps a private value about this customer until this plug-in's next invocation; see
    /// [`Memory`] for an example.
    ///
    /// # Errors
    ///
    /// When the value can't be encoded, or `memory.too-large`: the limit is 32 KiB.
    pub fn remember<T: Memory>(&mut self, memory: &T) -> Result<(), Error> {
        Ok(self.host.remember(Some(memory::write(memory)?))?)
    }

    /// Deletes what was remembered about this customer.
    ///
    /// # Errors
    ///
    /// Never refused by current hosts.
    pub fn forget(&mut self) -> Result<(), Refusal> {
        self.host.remember(None)
    }
}

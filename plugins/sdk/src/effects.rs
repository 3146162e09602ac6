//! What a handler asks for.

#[cfg(target_family = "wasm")]
use crate::guest as host;
#[cfg(not(target_family = "wasm"))]
use crate::testing::recorder as host;

use crate::memory::{self, Memory};
use crate::{Error, Refusal, Value};

/// What a handler asks for. Nothing happens until the handler returns ok; then all of it happens
/// at once. When it returns an error or panics, none of it does.
///
/// The host checks every effect against the manifest and answers at once. A [`Refusal`] can be
/// handled, or passed on with `?`. The last word on a field counts. More than 256 effects in one
/// call, or more than 256 KiB of them, end it.
#[derive(Debug)]
pub struct Effects {
    pub(crate) host: host::Effects,
}

impl Effects {
    /// Claims a value for a field the manifest sources. When this plug-in is the field's assigned
    /// source, everybody sees it; otherwise only administrators do. The plug-in can't tell.
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

    /// Says no to one proposed field; it replaces a claim made before for it. `code` is the plug-in's own and stable, such as
    /// `phone.country-unknown`; `message` is a sentence for the person who sent it.
    ///
    /// # Errors
    ///
    /// `field.not-sourced`, or `refuse.code`: a code is at most 64 lower-case letters, digits,
    /// `.`, `_` and `-`, and neither `property.type` nor `property.missing`, which the host itself says.
    pub fn refuse(&mut self, field: &str, code: &str, message: &str) -> Result<(), Refusal> {
        self.host.refuse(Some(field), code, message)
    }

    /// Says no to the whole delivery, because its data makes no sense. Return ok after it: bad
    /// data is no failure of the plug-in.
    ///
    /// # Errors
    ///
    /// `refuse.code`, as for [`refuse`](Effects::refuse).
    pub fn refuse_all(&mut self, code: &str, message: &str) -> Result<(), Refusal> {
        self.host.refuse(None, code, message)
    }

    /// Tells the other capabilities that something happened to this customer:
    /// `effects.emit("loyalty.tier_reached", [("tier", "gold".into())])?`.
    ///
    /// # Errors
    ///
    /// `event.not-declared`, `event.property` (undeclared, or given twice), `value.type` and its kin.
    pub fn emit<'a>(
        &mut self,
        name: &str,
        properties: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<(), Refusal> {
        let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value));
        self.host.emit(name, properties.collect())
    }

    /// Keeps private bytes about this customer for this plug-in's next call.
    ///
    /// # Errors
    ///
    /// When the value can't be written, or the host refuses it: 32 KiB is its limit.
    pub fn remember<T: Memory>(&mut self, memory: &T) -> Result<(), Error> {
        Ok(self.host.remember(Some(memory::write(memory)?))?)
    }

    /// Forgets what was remembered of this customer.
    ///
    /// # Errors
    ///
    /// Known hosts take it always.
    pub fn forget(&mut self) -> Result<(), Refusal> {
        self.host.remember(None)
    }
}

//! What an administrator set for this plug-in.

use crate::named::missing;
use crate::{Date, Decimal, Error, Timestamp, Type, Value};

/// What an administrator set for this plug-in, or the manifest's defaults. Read one at a time,
/// because most handlers need only some; so texts are owned.
#[derive(Debug)]
pub struct Settings {
    #[cfg(not(target_family = "wasm"))]
    pub(crate) named: crate::named::Named,
    #[cfg(target_family = "wasm")]
    pub(crate) _host: (),
}

/// Writes both accessors of one type; see [`crate::named`] for why this is a macro.
macro_rules! accessors {
    ($($(#[$doc:meta])* $method:ident, $(#[$doc_opt:meta])* $method_opt:ident: $type:ty, $kind:ident, $read:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// When there is none, or plugin.toml declares another type.
            #[track_caller]
            pub fn $method(&self, name: &str) -> Result<$type, Error> {
                self.required(name, Type::$kind, $read)
            }

            $(#[$doc_opt])*
            ///
            /// # Errors
            ///
            /// When plugin.toml declares another type.
            #[track_caller]
            pub fn $method_opt(&self, name: &str) -> Result<Option<$type>, Error> {
                self.optional(name, Type::$kind, $read)
            }
        )*
    };
}

impl Settings {
    /// A setting of any type; none when it is neither set nor has a default.
    ///
    /// # Errors
    ///
    /// When the SDK's types can't hold the value.
    #[cfg(target_family = "wasm")]
    pub fn get(&self, name: &str) -> Result<Option<Value>, Error> {
        crate::guest::setting(name)
    }

    /// A setting of any type; none when it is neither set nor has a default.
    ///
    /// # Errors
    ///
    /// When the SDK's types can't hold the value.
    #[cfg(not(target_family = "wasm"))]
    #[track_caller]
    pub fn get(&self, name: &str) -> Result<Option<Value>, Error> {
        Ok(self.named.get(name).cloned())
    }

    #[track_caller]
    fn optional<T>(
        &self,
        name: &str,
        wanted: Type,
        read: fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.get(name)? else { return Ok(None) };
        read(&value).map(Some).ok_or_else(|| Error::WrongType {
            place: "the settings".to_owned(),
            name: name.to_owned(),
            found: value.kind(),
            wanted,
        })
    }

    #[track_caller]
    fn required<T>(&self, name: &str, wanted: Type, read: fn(&Value) -> Option<T>) -> Result<T, Error> {
        self.optional(name, wanted, read)?.ok_or_else(|| missing("the settings", name))
    }

    accessors! {
        /// A text that is set or has a default.
        text,
        /// A text, if it is set or has a default.
        text_opt: String, Text, |value| value.as_text().map(str::to_owned);
        /// A whole number that is set or has a default.
        integer,
        /// A whole number, if it is set or has a default.
        integer_opt: i64, Integer, Value::as_integer;
        /// A double that is set or has a default.
        number,
        /// A double, if it is set or has a default.
        number_opt: f64, Number, Value::as_number;
        /// A decimal that is set or has a default.
        decimal,
        /// A decimal, if it is set or has a default.
        decimal_opt: Decimal, Decimal, Value::as_decimal;
        /// A boolean that is set or has a default.
        boolean,
        /// A boolean, if it is set or has a default.
        boolean_opt: bool, Boolean, Value::as_boolean;
        /// A moment that is set or has a default.
        timestamp,
        /// A moment, if it is set or has a default.
        timestamp_opt: Timestamp, Timestamp, Value::as_timestamp;
        /// A date that is set or has a default.
        date,
        /// A date, if it is set or has a default.
        date_opt: Date, Date, Value::as_date;
        /// A list of texts that is set or has a default.
        texts,
        /// A list of texts, if it is set or has a default.
        texts_opt: Vec<String>, Texts, |value| value.as_texts().map(<[String]>::to_vec);
        /// JSON text that is set or has a default.
        json,
        /// JSON text, if it is set or has a default.
        json_opt: String, Json, |value| value.as_json().map(str::to_owned);
    }
}

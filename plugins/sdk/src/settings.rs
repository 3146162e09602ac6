//! What an administrator set for this plug-in.

use crate::named::missing;
use crate::{Date, Decimal, Error, Timestamp, Type, Value};

/// What an administrator set for this plug-in, or the manifest's defaults. The SDK reads one setting
/// at a time, because most handlers need only some. So strings are owned.
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
            /// When the setting is missing, or plugin.toml declares another type.
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
    /// A setting of any type; none when it is not set and has no default.
    ///
    /// # Errors
    ///
    /// When the SDK's types can't hold the value.
    #[cfg(target_family = "wasm")]
    pub fn get(&self, name: &str) -> Result<Option<Value>, Error> {
        crate::guest::setting(name)
    }

    /// A setting of any type; none when it is not set and has no default.
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
        /// A text setting or its default.
        text,
        /// A text setting or its default, if there is one.
        text_opt: String, Text, |value| value.as_text().map(str::to_owned);
        /// An integer setting or its default.
        integer,
        /// An integer setting or its default, if there is one.
        integer_opt: i64, Integer, Value::as_integer;
        /// A double setting or its default.
        number,
        /// A double setting or its default, if there is one.
        number_opt: f64, Number, Value::as_number;
        /// A decimal setting or its default.
        decimal,
        /// A decimal setting or its default, if there is one.
        decimal_opt: Decimal, Decimal, Value::as_decimal;
        /// A boolean setting or its default.
        boolean,
        /// A boolean setting or its default, if there is one.
        boolean_opt: bool, Boolean, Value::as_boolean;
        /// A time setting or its default.
        timestamp,
        /// A time setting or its default, if there is one.
        timestamp_opt: Timestamp, Timestamp, Value::as_timestamp;
        /// A date setting or its default.
        date,
        /// A date setting or its default, if there is one.
        date_opt: Date, Date, Value::as_date;
        /// A string list setting or its default.
        texts,
        /// A string list setting or its default, if there is one.
        texts_opt: Vec<String>, Texts, |value| value.as_texts().map(<[String]>::to_vec);
        /// A JSON setting or its default, as text.
        json,
        /// A JSON setting or its default as text, if there is one.
        json_opt: String, Json, |value| value.as_json().map(str::to_owned);
    }
}

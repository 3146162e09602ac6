//! Named values with typed access: what events, profiles and settings have in common.

use crate::{Error, Type, Value};

/// Values by name. They are few, so a search is faster than a map built for every invocation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Named {
    pub(crate) values: Vec<(String, Value)>,
    /// The names that plugin.toml declares, known only in tests. A test fails when a handler reads
    /// any other name.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) declared: Option<Vec<String>>,
}

impl Named {
    #[cfg(target_family = "wasm")]
    pub(crate) fn new(values: Vec<(String, Value)>) -> Named {
        Named { values }
    }

    /// The value of that name.
    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        #[cfg(not(target_family = "wasm"))]
        if let Some(declared) = &self.declared
            && !declared.iter().any(|known| known == name)
        {
            panic!("{name:?} is not declared in plugin.toml, so no host would ever give it");
        }
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    #[track_caller]
    pub(crate) fn optional<'a, T>(
        &'a self,
        name: &str,
        wanted: Type,
        read: fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(name)?;
        Some(read(value).unwrap_or_else(|| wrong_type(name, value, wanted)))
    }

    #[track_caller]
    pub(crate) fn required<'a, T>(
        &'a self,
        place: &str,
        name: &str,
        wanted: Type,
        read: fn(&'a Value) -> Option<T>,
    ) -> Result<T, Error> {
        let value = self.get(name).ok_or_else(|| missing(place, name))?;
        read(value).ok_or_else(|| Error::WrongType {
            place: place.to_owned(),
            name: name.to_owned(),
            found: value.kind(),
            wanted,
        })
    }
}

pub(crate) fn missing(place: &str, name: &str) -> Error {
    Error::Missing { place: place.to_owned(), name: name.to_owned() }
}

/// The manifest declares every type, so this is a bug of the plug-in that its first test finds.
#[track_caller]
fn wrong_type(name: &str, value: &Value, wanted: Type) -> ! {
    panic!("{name:?} is of type {} and was read as {wanted}; plugin.toml declares the type", value.kind())
}

/// Writes the accessors of one type: `optional` ones return an `Option`, `required` ones a `Result`.
/// A macro, because nine types with their docs are one list, not ninety functions.
macro_rules! accessors {
    (optional, $self:ident => $named:expr; $($(#[$doc:meta])* $method:ident: $type:ty, $kind:ident, $read:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Panics
            ///
            /// When plugin.toml declares another type.
            #[track_caller]
            pub fn $method(&$self, name: &str) -> Option<$type> {
                $named.optional(name, crate::Type::$kind, crate::Value::$read)
            }
        )*
    };
    (required, $self:ident => $named:expr, $place:expr; $($(#[$doc:meta])* $method:ident: $type:ty, $kind:ident, $read:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// When it is missing, or plugin.toml declares another type.
            #[track_caller]
            pub fn $method(&$self, name: &str) -> Result<$type, crate::Error> {
                $named.required($place, name, crate::Type::$kind, crate::Value::$read)
            }
        )*
    };
}

pub(crate) use accessors;

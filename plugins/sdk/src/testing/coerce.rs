//! Conversion without loss, by the host's rules: `12` and `12.0` are one decimal, `"12"` is the
//! integer 12, `12.5` is not.

use crate::{Decimal, Type, Value};

pub(crate) fn coerce(value: &Value, wanted: Type) -> Option<Value> {
    if value.kind() == wanted {
        return Some(value.clone());
    }
    match (value, wanted) {
        (Value::Json(json), _) => from_json(json, wanted),
        (Value::Text(text), _) if wanted != Type::Json => from_text(text, wanted),
        (Value::Integer(number), Type::Number) if number.unsigned_abs() <= 1 << 53 => {
            Some(Value::Number(*number as f64))
        }
        (Value::Integer(number), Type::Decimal) => Some(Value::Decimal((*number).into())),
        (Value::Number(number), Type::Integer | Type::Decimal) => from_number(&number.to_string(), wanted),
        (Value::Decimal(decimal), Type::Integer | Type::Number) => from_number(&decimal.to_string(), wanted),
        (_, Type::Json) => Some(Value::Json(to_json(value))),
        _ => None,
    }
}

fn from_json(json: &str, wanted: Type) -> Option<Value> {
    let json = json.trim();
    match json.as_bytes().first()? {
        b'"' => from_text(&serde_json::from_str::<String>(json).ok()?, wanted),
        b't' | b'f' if wanted == Type::Boolean => serde_json::from_str(json).ok().map(Value::Boolean),
        b'[' if wanted == Type::Texts => serde_json::from_str(json).ok().map(Value::Texts),
        b'-' | b'0'..=b'9' => from_number(json, wanted),
        _ => None,
    }
}

fn from_text(text: &str, wanted: Type) -> Option<Value> {
    match wanted {
        Type::Text => Some(Value::Text(text.to_owned())),
        Type::Integer | Type::Number | Type::Decimal => from_number(text, wanted),
        Type::Timestamp => text.parse().ok().map(Value::Timestamp),
        Type::Date => text.parse().ok().map(Value::Date),
        Type::Boolean | Type::Texts | Type::Json => None,
    }
}

fn from_number(text: &str, wanted: Type) -> Option<Value> {
    let exact = if text.contains(['e', 'E']) {
        Decimal::from_scientific(text).ok()?
    } else {
        Decimal::from_str_exact(text).ok()?
    };
    match wanted {
        Type::Decimal => Some(Value::Decimal(exact)),
        Type::Integer => exact.normalize().to_string().parse().ok().map(Value::Integer),
        Type::Number => {
            let number: f64 = text.parse().ok()?;
            let same = Decimal::from_str_exact(&number.to_string()).ok()? == exact;
            same.then_some(Value::Number(number))
        }
        _ => None,
    }
}

fn to_json(value: &Value) -> String {
    let json: serde_json::Value = match value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Number(number) => (*number).into(),
        Value::Decimal(decimal) => crate::decimal::write(*decimal).into(),
        Value::Boolean(boolean) => (*boolean).into(),
        Value::Timestamp(moment) => moment.to_string().into(),
        Value::Date(date) => date.to_string().into(),
        Value::Texts(texts) => texts.clone().into(),
        Value::Json(text) => return text.clone(),
    };
    json.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost() {
        let twelve = Value::Decimal(Decimal::from(12));
        for value in [Value::from("12.00"), 12.into(), 12.0.into(), Value::Json("1.2e1".into())] {
            assert_eq!(coerce(&value, Type::Decimal), Some(twelve.clone()), "{value:?}");
        }
        assert_eq!(coerce(&"12".into(), Type::Integer), Some(12.into()));
        assert_eq!(coerce(&"0.1".into(), Type::Number), Some(0.1.into()));
        for (value, wanted) in [
            (Value::from("12.5"), Type::Integer),
            (Value::from(12), Type::Text),
            (Value::from("yes"), Type::Boolean),
            (Value::from(1), Type::Boolean),
            (Value::from("2026-02-30"), Type::Date),
            (Value::from("29.330000000000000000001"), Type::Number),
        ] {
            assert_eq!(coerce(&value, wanted), None, "{value:?} as {wanted}");
        }
    }
}

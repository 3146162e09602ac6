//! The mapping file: how columns become an event. docs/import.md explains it to its users.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use super::value::{Empty, Reading, offset};
use crate::vocabulary::{FieldName, IdentifierName, Type};

/// A mapping file as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingFile {
    /// The shape of the file.
    #[serde(default)]
    pub file: FileShape,
    /// What the event is.
    event: EventShape,
    /// Whom it concerns.
    #[serde(default)]
    identifiers: BTreeMap<IdentifierName, Source>,
    /// What else is known about it.
    #[serde(default)]
    properties: BTreeMap<String, Source>,
    /// Fields it proposes values for.
    #[serde(default)]
    proposes: BTreeMap<FieldName, Source>,
}

/// The shape of a file of columns.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileShape {
    /// Whether the first line names the columns; it does unless `columns` is given.
    pub header: Option<bool>,
    /// One character, `tab`, or `whitespace` for any number of blanks. A comma when left out.
    pub delimiter: Option<String>,
    /// The columns' names, for a file without a header.
    #[serde(default)]
    pub columns: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventShape {
    name: Source,
    id: Option<Source>,
    at: Option<Source>,
}

/// Where a value comes from: a text with `{column}`s in it, a constant, or a table that also says
/// how it is read.
#[derive(Debug, Clone)]
enum Source {
    Template(String),
    Constant(Json),
    Detailed(Detailed),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Detailed {
    column: Option<String>,
    template: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Type>,
    format: Option<String>,
    zone: Option<String>,
    #[serde(default)]
    empty: Empty,
    separator: Option<String>,
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Source, D::Error> {
        use serde::de::Error as _;
        Ok(match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Source::Template(text),
            toml::Value::Integer(number) => Source::Constant(number.into()),
            toml::Value::Float(number) if number.is_finite() => Source::Constant(number.into()),
            toml::Value::Boolean(boolean) => Source::Constant(boolean.into()),
            table @ toml::Value::Table(_) => Source::Detailed(table.try_into().map_err(D::Error::custom)?),
            other => {
                return Err(D::Error::custom(format!("{other} can't be a value: write a text or a table")));
            }
        })
    }
}

/// A mapping that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct MappingError {
    /// Where: `properties.amount`.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

/// A mapping that fits a file's columns.
#[derive(Debug, Clone)]
pub struct Mapping {
    name: Rule,
    id: Option<Rule>,
    at: Option<Rule>,
    identifiers: Vec<(String, Rule)>,
    properties: Vec<(String, Rule)>,
    proposes: Vec<(String, Rule)>,
}

#[derive(Debug, Clone)]
enum Rule {
    Constant(Json),
    Text { parts: Vec<Part>, reading: Reading },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(usize),
    Line,
}

impl MappingFile {
    /// Reads a mapping file.
    pub fn parse(text: &str) -> Result<MappingFile, MappingError> {
        toml::from_str(text).map_err(|cause| MappingError {
            place: "the mapping".to_owned(),
            problem: cause.to_string().trim_end().to_owned(),
        })
    }

    /// Fits the mapping to a file's columns.
    pub fn fit(&self, columns: &[String]) -> Result<Mapping, MappingError> {
        if self.identifiers.is_empty() {
            return Err(MappingError {
                place: "identifiers".to_owned(),
                problem: "name at least one, or nobody knows whom the event concerns".to_owned(),
            });
        }
        let rule = |place: &str, source: &Source, kind: Type| {
            source.rule(columns, kind).map_err(|problem| MappingError { place: place.to_owned(), problem })
        };
        let rules = |table: &str, sources: Vec<(&str, &Source)>| {
            let rule = |(name, source): (&str, &Source)| {
                Ok((name.to_owned(), rule(&format!("{table}.{name}"), source, Type::Text)?))
            };
            sources.into_iter().map(rule).collect::<Result<Vec<_>, MappingError>>()
        };
        let event = &self.event;
        Ok(Mapping {
            name: rule("event.name", &event.name, Type::Text)?,
            id: event.id.as_ref().map(|id| rule("event.id", id, Type::Text)).transpose()?,
            at: event.at.as_ref().map(|at| rule("event.at", at, Type::Timestamp)).transpose()?,
            identifiers: rules(
                "identifiers",
                self.identifiers.iter().map(|(name, source)| (name.as_str(), source)).collect(),
            )?,
            properties: rules(
                "properties",
                self.properties.iter().map(|(name, source)| (name.as_str(), source)).collect(),
            )?,
            proposes: rules(
                "proposes",
                self.proposes.iter().map(|(name, source)| (name.as_str(), source)).collect(),
            )?,
        })
    }
}

impl Source {
    fn rule(&self, columns: &[String], kind: Type) -> Result<Rule, String> {
        let reading = Reading { kind, ..Reading::default() };
        match self {
            Source::Constant(value) => Ok(Rule::Constant(value.clone())),
            Source::Template(text) => Ok(Rule::Text { parts: template(text, columns)?, reading }),
            Source::Detailed(detailed) => {
                let parts = match (&detailed.column, &detailed.template) {
                    (Some(column), None) => vec![column_part(column, columns)?],
                    (None, Some(text)) => template(text, columns)?,
                    _ => return Err("say either column or template".to_owned()),
                };
                Ok(Rule::Text { parts, reading: detailed.reading(reading)? })
            }
        }
    }
}

impl Detailed {
    fn reading(&self, plain: Reading) -> Result<Reading, String> {
        let kind = self.kind.unwrap_or(plain.kind);
        if self.format.is_some() && !matches!(kind, Type::Timestamp | Type::Date) {
            return Err(format!("a {kind} has no format; type = \"timestamp\" has"));
        }
        let offset = match &self.zone {
            None => plain.offset,
            Some(zone) => offset(zone)
                .ok_or_else(|| format!("{zone:?} is no zone: write UTC or an offset such as +01:00"))?,
        };
        let separator = self.separator.clone().unwrap_or(plain.separator);
        if separator.is_empty() {
            return Err("an empty separator separates nothing".to_owned());
        }
        Ok(Reading { kind, format: self.format.clone(), offset, empty: self.empty, separator })
    }
}

/// `{column}` and `{line}` are replaced, `{{` and `}}` are braces.
fn template(text: &str, columns: &[String]) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            literal.push_str(brace);
            rest = after;
            continue;
        }
        let Some((name, after)) = (brace == "{").then(|| rest.split_once('}')).flatten() else {
            return Err(format!("{text:?} has a lone {brace}; write {brace}{brace} for the character"));
        };
        if !literal.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut literal)));
        }
        parts.push(column_part(name, columns)?);
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

fn column_part(name: &str, columns: &[String]) -> Result<Part, String> {
    match columns.iter().position(|column| column == name) {
        Some(number) => Ok(Part::Column(number)),
        None if name == "line" => Ok(Part::Line),
        None => Err(format!("the file has no column {name:?}; it has {}", columns.join(", "))),
    }
}

impl Rule {
    fn value(&self, cells: &[&str], line: u64) -> Result<Option<Json>, String> {
        match self {
            Rule::Constant(value) => Ok(Some(value.clone())),
            Rule::Text { parts, reading } => match parts.as_slice() {
                [Part::Column(number)] => reading.read(cells.get(*number).copied().unwrap_or("")),
                parts => {
                    let piece = |part: &Part| match part {
                        Part::Text(text) => text.clone(),
                        Part::Column(number) => cells.get(*number).copied().unwrap_or("").to_owned(),
                        Part::Line => line.to_string(),
                    };
                    reading.read(&parts.iter().map(piece).collect::<String>())
                }
            },
        }
    }
}

impl Mapping {
    /// The event that a line's cells make, or what is wrong with them.
    pub fn event(&self, cells: &[&str], line: u64) -> Result<Json, String> {
        let one = |rule: &Rule, place: &str| {
            rule.value(cells, line).map_err(|problem| format!("{place}: {problem}"))
        };
        let many = |rules: &[(String, Rule)], table: &str| {
            let mut members = Map::new();
            for (name, rule) in rules {
                if let Some(value) = one(rule, &format!("{table}.{name}"))? {
                    members.insert(name.clone(), value);
                }
            }
            Ok::<_, String>(members)
        };
        let mut event = Map::new();
        let name = one(&self.name, "event.name")?.ok_or("event.name: it is empty")?;
        event.insert("name".to_owned(), name);
        for (member, rule) in [("id", &self.id), ("at", &self.at)] {
            let Some(rule) = rule else { continue };
            let place = format!("event.{member}");
            let value = one(rule, &place)?.ok_or_else(|| format!("{place}: it is empty"))?;
            event.insert(member.to_owned(), value);
        }
        let identifiers = many(&self.identifiers, "identifiers")?;
        if identifiers.is_empty() {
            return Err("identifiers: all are empty".to_owned());
        }
        event.insert("identifiers".to_owned(), identifiers.into());
        for (member, rules) in [("properties", &self.properties), ("proposes", &self.proposes)] {
            let members = many(rules, member)?;
            if !members.is_empty() {
                event.insert(member.to_owned(), members.into());
            }
        }
        Ok(event.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CDNOW: &str = include_str!("../../../../examples/cdnow-mapping.toml");

    fn columns(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_cdnow_lines_become_orders() {
        let file = MappingFile::parse(CDNOW).unwrap();
        let mapping = file.fit(&columns(" customer_id  date number_of_cds  dollar_value")).unwrap();
        let cells: Vec<&str> = " 00001 19970101  1   11.77".split_whitespace().collect();
        assert_eq!(
            mapping.event(&cells, 2).unwrap(),
            json!({
                "name": "order.completed",
                "at": "1997-01-01T00:00:00Z",
                "identifiers": {"customer_id": "00001"},
                "properties": {"order_id": "00001-2", "amount": "11.77", "currency": "USD", "quantity": 1},
            })
        );
        let bad: Vec<&str> = "00001 19970101 one 11.77".split_whitespace().collect();
        assert!(mapping.event(&bad, 3).unwrap_err().starts_with("properties.quantity: "));
    }

    #[test]
    fn mistakes_in_a_mapping_name_their_place() {
        let fit =
            |text: &str| MappingFile::parse(text).and_then(|file| file.fit(&columns("a b")).map(|_| ()));
        let event = "[event]\nname = \"x\"\n";
        let with = |rest: &str| {
            fit(&format!("{event}[identifiers]\nid = \"{{a}}\"\n{rest}")).unwrap_err().to_string()
        };
        assert!(fit(event).unwrap_err().to_string().starts_with("identifiers: "));
        assert_eq!(
            with("[properties]\nc = \"{c}\""),
            "properties.c: the file has no column \"c\"; it has a, b"
        );
        assert!(
            with("[properties]\nc = { column = \"a\", template = \"b\" }")
                .contains("either column or template")
        );
        assert!(with("[properties]\nc = { column = \"a\", kind = \"text\" }").contains("kind"));
        assert!(with("[properties]\nc = { column = \"a\", format = \"%Y\" }").contains("has no format"));
        assert!(with("[properties]\nc = \"{a\"").contains("a lone {"));
        assert!(with("[proposes]\n\"Bad Name\" = \"x\"").contains("can't be a field"));
        assert!(with("[colour]\nx = 1").contains("colour"));
    }

    #[test]
    fn a_template_mixes_text_columns_and_the_line() {
        let parts = template("{b}-{line}-{{x}}", &columns("a b")).unwrap();
        let rule = Rule::Text { parts, reading: Reading::default() };
        assert_eq!(rule.value(&["1", "2"], 7).unwrap().unwrap(), "2-7-{x}");
    }

    #[test]
    fn an_empty_column_is_left_out_or_clears() {
        let file = MappingFile::parse(
            "[event]\nname = \"customer.updated\"\n[identifiers]\nid = \"{a}\"\n\
             [properties]\nx = \"{b}\"\ny = 3\n[proposes]\nemail = { column = \"b\", empty = \"null\" }\n",
        )
        .unwrap();
        let mapping = file.fit(&columns("a b")).unwrap();
        assert_eq!(
            mapping.event(&["1", ""], 1).unwrap(),
            json!({"name": "customer.updated", "identifiers": {"id": "1"},
                   "properties": {"y": 3}, "proposes": {"email": null}})
        );
        assert_eq!(mapping.event(&["", "x"], 1).unwrap_err(), "identifiers: all are empty");
    }
}

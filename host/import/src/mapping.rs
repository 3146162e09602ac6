//! The mapping file: how columns become an event. docs/import.md explains it to its users.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use super::encoding::Encoding;
use super::number::NumberFormat;
use super::rounded::is_rounded;
use super::template::{Made, Template};
use super::value::{Empty, Reading, TimeFormat};
use super::value_map::ValueMap;
use super::zone::{Choice, Zone};
use samsyn_vocabulary::{FieldName, IdentifierName, Type};
use samsyn_wire::request::NewEvent;

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
    /// A name such as `windows-1252`; UTF-8 when left out. A mark at the file's start wins.
    encoding: Option<String>,
    /// Whether cells may stand in quotation marks; they may unless this is false.
    pub quotes: Option<bool>,
    /// The mark before a number's fraction, for all values that say no other.
    decimal: Option<String>,
    /// The mark between thousands, likewise.
    thousands: Option<String>,
    /// Where times without an offset were written, likewise.
    zone: Option<String>,
    /// What the hour means that comes twice when summer time ends, likewise.
    ambiguous: Option<Choice>,
    /// What the hour means that is left out when summer time begins, likewise.
    skipped: Option<Choice>,
}

impl FileShape {
    /// The encoding that the file has where no mark tells it.
    pub fn encoding(&self) -> Result<Encoding, MappingError> {
        let encoding = self.encoding.as_deref().map(str::parse).transpose();
        Ok(encoding.map_err(|problem| MappingError::new("file.encoding", problem))?.unwrap_or_default())
    }

    /// How values are read that say nothing of it themselves.
    fn reading(&self) -> Result<Reading, MappingError> {
        let numbers = NumberFormat::default()
            .with(self.decimal.as_deref(), self.thousands.as_deref())
            .map_err(|problem| MappingError::new("file", problem))?;
        let zone = placed(Zone::default(), self.zone.as_deref(), self.ambiguous, self.skipped)
            .map_err(|problem| MappingError::new("file.zone", problem))?;
        Ok(Reading { numbers, zone, ..Reading::default() })
    }
}

/// The zone with what a table says of it.
fn placed(
    zone: Zone,
    name: Option<&str>,
    ambiguous: Option<Choice>,
    skipped: Option<Choice>,
) -> Result<Zone, String> {
    let mut zone = match name {
        Some(name) => zone.called(name)?,
        None => zone,
    };
    zone.ambiguous = ambiguous.unwrap_or(zone.ambiguous);
    zone.skipped = skipped.unwrap_or(zone.skipped);
    Ok(zone)
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
    two_digit_years_from: Option<i16>,
    zone: Option<String>,
    ambiguous: Option<Choice>,
    skipped: Option<Choice>,
    decimal: Option<String>,
    thousands: Option<String>,
    values: Option<BTreeMap<String, toml::Value>>,
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
                return Err(D::Error::custom(format!("invalid value {other}: write a string or a table")));
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

impl MappingError {
    /// A mistake at this place.
    pub fn new(place: &str, problem: impl ToString) -> MappingError {
        MappingError { place: place.to_owned(), problem: problem.to_string() }
    }
}

/// A mapping that fits a file's columns.
#[derive(Debug, Clone)]
pub struct Mapping {
    columns: Vec<String>,
    /// The columns whose cells become texts.
    texts: Vec<usize>,
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
    Text { template: Template, reading: Reading },
}

impl MappingFile {
    /// Reads a mapping file.
    pub fn parse(text: &str) -> Result<MappingFile, MappingError> {
        toml::from_str(text).map_err(|cause| MappingError::new("the mapping", cause.to_string().trim_end()))
    }

    /// Fits the mapping to a file's columns.
    pub fn fit(&self, columns: &[String]) -> Result<Mapping, MappingError> {
        if self.identifiers.is_empty() {
            return Err(MappingError::new("identifiers", "name at least one: an event needs a customer"));
        }
        let usual = self.file.reading()?;
        let rule = |place: &str, source: &Source, kind: Type| {
            let plain = Reading { kind, ..usual.clone() };
            source.rule(columns, plain).map_err(|problem| MappingError::new(place, problem))
        };
        let rules = |table: &str, sources: Vec<(&str, &Source)>| {
            let rule = |(name, source): (&str, &Source)| {
                Ok((name.to_owned(), rule(&format!("{table}.{name}"), source, Type::Text)?))
            };
            sources.into_iter().map(rule).collect::<Result<Vec<_>, MappingError>>()
        };
        let event = &self.event;
        let mut mapping = Mapping {
            columns: columns.to_vec(),
            texts: Vec::new(),
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
        };
        mapping.texts = mapping.text_columns();
        Ok(mapping)
    }
}

impl Source {
    fn rule(&self, columns: &[String], plain: Reading) -> Result<Rule, String> {
        match self {
            Source::Constant(value) => Ok(Rule::Constant(value.clone())),
            Source::Template(text) => {
                Ok(Rule::Text { template: Template::parse(text, columns)?, reading: plain })
            }
            Source::Detailed(detailed) => {
                let template = match (&detailed.column, &detailed.template) {
                    (Some(column), None) => Template::column(column, columns)?,
                    (None, Some(text)) => Template::parse(text, columns)?,
                    _ => return Err("write either column or template".to_owned()),
                };
                Ok(Rule::Text { template, reading: detailed.reading(plain)? })
            }
        }
    }
}

impl Detailed {
    fn reading(&self, plain: Reading) -> Result<Reading, String> {
        let kind = self.kind.unwrap_or(plain.kind);
        let timed = matches!(kind, Type::Timestamp | Type::Date);
        if (self.format.is_some() || self.two_digit_years_from.is_some()) && !timed {
            return Err(format!("format is not allowed for {kind}; use it with type = \"timestamp\""));
        }
        let format = self.format.as_deref().unwrap_or("rfc3339");
        let format = TimeFormat::parse(format, self.two_digit_years_from)?;
        let numeric = matches!(kind, Type::Integer | Type::Number | Type::Decimal)
            || matches!(format, TimeFormat::Serial(_));
        if (self.decimal.is_some() || self.thousands.is_some()) && !numeric {
            return Err(format!("a {kind} has no decimal or thousands; type = \"decimal\" has"));
        }
        let separator = self.separator.clone().unwrap_or(plain.separator);
        if separator.is_empty() {
            return Err("the separator is empty".to_owned());
        }
        // What a value is that nobody gave a type is seen by how it is written in the mapping.
        let wanted = self.kind.or((plain.kind != Type::Text).then_some(plain.kind));
        let values = self.values.as_ref().map(|values| ValueMap::new(values, wanted)).transpose()?;
        Ok(Reading {
            kind,
            format,
            zone: placed(plain.zone, self.zone.as_deref(), self.ambiguous, self.skipped)?,
            numbers: plain.numbers.with(self.decimal.as_deref(), self.thousands.as_deref())?,
            values,
            empty: self.empty,
            separator,
        })
    }
}

impl Rule {
    fn value(&self, cells: &[&str], line: u64, columns: &[String]) -> Result<Option<Json>, String> {
        match self {
            Rule::Constant(value) => Ok(Some(value.clone())),
            Rule::Text { template, reading } => match template.fill(cells, line) {
                Made::Text(text) => reading.read(&text),
                // Left out it changes nothing; joined to other text, or with a value of its own, it does.
                Made::Short(_) if !template.is_joined() && !reading.lists_empty() => reading.read(""),
                Made::Short(column) => Err(format!("the row ends before the column {:?}", columns[column])),
            },
        }
    }

    /// The value of an id or identifier. One that is made of several parts is none without its
    /// columns: everybody whose number is missing would have the same.
    fn identity(&self, cells: &[&str], line: u64, columns: &[String]) -> Result<Option<Json>, String> {
        let Rule::Text { template, reading } = self else { return self.value(cells, line, columns) };
        let is_empty = |column: &usize| cells.get(*column).is_none_or(|cell| cell.trim().is_empty());
        let mut empty = template.columns().filter(is_empty);
        let Some(first) = empty.next().filter(|_| template.is_joined()) else {
            return self.value(cells, line, columns);
        };
        if template.columns().count() == empty.count() + 1 {
            return reading.read("");
        }
        Err(format!("its column {:?} is empty", columns[first]))
    }
}

impl Mapping {
    /// The event that a line's cells make, or what is wrong with them. Cells that the line lacks at
    /// its end are empty, where that leaves something out and changes nothing.
    pub fn event(&self, cells: &[&str], line: u64) -> Result<Json, String> {
        let columns = &self.columns;
        let placed = |place: &str, value: Result<Option<Json>, String>| {
            value.map_err(|problem| format!("{place}: {problem}"))
        };
        let one = |rule: &Rule, place: &str| placed(place, rule.value(cells, line, columns));
        let identity = |rule: &Rule, place: &str| placed(place, rule.identity(cells, line, columns));
        let mut event = NewEvent {
            name: Some(one(&self.name, "event.name")?.ok_or("event.name: it is empty")?),
            ..NewEvent::default()
        };
        if let Some(rule) = &self.id {
            event.id = Some(identity(rule, "event.id")?.ok_or("event.id: it is empty")?);
        }
        if let Some(rule) = &self.at {
            event.at = Some(one(rule, "event.at")?.ok_or("event.at: it is empty")?);
        }
        let mut identifiers = Map::new();
        for (name, rule) in &self.identifiers {
            if let Some(value) = identity(rule, &format!("identifiers.{name}"))? {
                identifiers.insert(name.clone(), value);
            }
        }
        if identifiers.values().all(|value| value.is_null() || value == "") {
            return Err("identifiers: all of them are empty".to_owned());
        }
        event.identifiers = Some(identifiers.into());
        let object = |member: &str, rules: &[(String, Rule)]| -> Result<Option<Json>, String> {
            let mut members = Map::new();
            for (name, rule) in rules {
                if let Some(value) = one(rule, &format!("{member}.{name}"))? {
                    members.insert(name.clone(), value);
                }
            }
            Ok((!members.is_empty()).then(|| members.into()))
        };
        event.properties = object("properties", &self.properties)?;
        event.proposes = object("proposes", &self.proposes)?;
        Ok(event.into_members().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The columns whose names an error or a warning may tell.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The cells that a spreadsheet has rounded, though they become texts, and their columns.
    pub fn rounded<'a>(&'a self, cells: &'a [&'a str]) -> impl Iterator<Item = (usize, &'a str)> {
        self.texts
            .iter()
            .filter_map(|column| Some((*column, *cells.get(*column)?)))
            .filter(|(_, cell)| is_rounded(cell))
    }

    fn text_columns(&self) -> Vec<usize> {
        let lists = [&self.identifiers, &self.properties, &self.proposes];
        let listed = lists.into_iter().flatten().map(|(_, rule)| rule);
        let rules = listed.chain(&self.id);
        let mut columns: Vec<usize> = rules
            .filter_map(|rule| match rule {
                Rule::Text { template, reading }
                    if reading.kind == Type::Text && reading.values.is_none() =>
                {
                    Some(template.columns())
                }
                Rule::Text { .. } | Rule::Constant(_) => None,
            })
            .flatten()
            .collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CDNOW: &str = include_str!("../../../examples/cdnow-mapping.toml");

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
        assert!(
            with("[properties]\nc = { column = \"a\", format = \"%Y\" }").contains("format is not allowed")
        );
        assert!(with("[properties]\nc = \"{a\"").contains("a single {"));
        assert!(with("[proposes]\n\"Bad Name\" = \"x\"").contains("can't be a field"));
        assert!(with("[colour]\nx = 1").contains("colour"));
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
        assert_eq!(mapping.event(&["", "x"], 1).unwrap_err(), "identifiers: all of them are empty");
    }
}

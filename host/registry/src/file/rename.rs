//! Renames in a registry file, in an order in which each finds its new name free.

use std::collections::BTreeMap;

use super::{FileError, FiledField};
use samsyn_vocabulary::FieldName;

/// Each rename as (from, to): one that frees a name stands before the one that takes it. One field
/// that becomes two, and circles, are refused.
pub fn order(fields: &BTreeMap<FieldName, FiledField>) -> Result<Vec<(FieldName, FieldName)>, FileError> {
    let renamed_from = |name: &FieldName| fields.get(name).and_then(|filed| filed.renamed_from.as_ref());
    let place = |name: &FieldName| format!("fields.{name}.renamed_from");
    let mut becomes: BTreeMap<&FieldName, &FieldName> = BTreeMap::new();
    for name in fields.keys() {
        let Some(from) = renamed_from(name) else { continue };
        if let Some(other) = becomes.insert(from, name) {
            let why = format!("{from} can't be renamed to both {other} and {name}; keep one of them");
            return Err(FileError::at(place(name), why));
        }
    }
    // Names are taken and left at most once, so renames form chains and circles. A chain is walked
    // from its free end; what is reached from no end is a circle.
    let mut ordered = Vec::new();
    for end in becomes.values().filter(|name| !becomes.contains_key(**name)) {
        let mut to = *end;
        while let Some(from) = renamed_from(to) {
            ordered.push((from.clone(), to.clone()));
            to = from;
        }
    }
    let reached = |name: &FieldName| ordered.iter().any(|(from, _)| from == name);
    if ordered.len() < becomes.len()
        && let Some((from, to)) = becomes.iter().find(|(from, _)| !reached(from))
    {
        let mut circle = vec![from.as_str(), to.as_str()];
        let mut next = *to;
        while next != *from
            && let Some(to) = becomes.get(next)
        {
            circle.push(to.as_str());
            next = to;
        }
        let why = format!(
            "the renames {} form a cycle; rename in two steps, through a free name",
            circle.join(" → ")
        );
        return Err(FileError::at(place(to), why));
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::super::RegistryFile;

    fn order(renames: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let fields: String = renames
            .iter()
            .map(|(from, to)| format!("{to} = {{ type = \"text\", renamed_from = \"{from}\" }}\n"))
            .collect();
        let file = RegistryFile::parse(&format!("registry = 1\n[fields]\n{fields}"));
        let file = file.map_err(|error| error.to_string())?;
        let ordered = super::order(&file.fields).map_err(|error| error.to_string())?;
        Ok(ordered.into_iter().map(|(from, to)| (from.to_string(), to.to_string())).collect())
    }

    #[test]
    fn a_name_is_left_before_it_is_taken() {
        let ordered = order(&[("a", "b"), ("b", "c"), ("x", "y")]).unwrap();
        let place = |from: &str| ordered.iter().position(|(is, _)| is == from).unwrap();
        assert_eq!(ordered.len(), 3);
        assert!(place("b") < place("a"), "{ordered:?}");
    }

    #[test]
    fn a_circle_and_a_field_that_becomes_two_are_refused_with_the_place() {
        let circle = order(&[("a", "b"), ("b", "c"), ("c", "a"), ("x", "y")]).unwrap_err();
        assert!(circle.contains("fields.b.renamed_from") && circle.contains("a → b → c → a"), "{circle}");
        let itself = order(&[("a", "a")]).unwrap_err();
        assert!(itself.contains("cycle"), "{itself}");
        let two = order(&[("a", "b"), ("a", "c")]).unwrap_err();
        assert!(two.contains("fields.c.renamed_from") && two.contains("both b and c"), "{two}");
    }
}

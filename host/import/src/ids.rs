//! Ids that a row has on every run: the file's digest and the row's line.

use std::io::{self, Read};

use serde_json::Value;

use samsyn_vocabulary::Members;

/// How much of the digest is in an id: 64 bits tell a company's files apart.
const DIGEST_HEX_DIGITS: usize = 16;

/// Where the ids of one import come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    label: String,
    suffix: String,
}

impl Ids {
    /// Ids `import:LABEL:LINE`, the label a file's digest or what the user calls it.
    pub fn new(label: &str) -> Ids {
        Ids { label: label.to_owned(), suffix: String::new() }
    }

    /// The same, with `~SUFFIX` at the end of every id, of own ones too: another import.
    pub fn again(self, suffix: &str) -> Ids {
        Ids { suffix: format!("~{suffix}"), ..self }
    }

    /// What tells these ids from those of another import.
    pub fn name(&self) -> String {
        format!("{}{}", self.label, self.suffix)
    }

    /// The id of the row on this line that has none of its own.
    pub fn of_line(&self, line: u64) -> String {
        format!("import:{}:{line}{}", self.label, self.suffix)
    }

    /// Makes sure that the event that columns became has its id.
    pub fn put(&self, event: &mut Value, line: u64) {
        let Some(members) = event.as_object_mut() else { return };
        match members.get_mut("id") {
            Some(Value::String(own)) => own.push_str(&self.suffix),
            Some(Value::Null) | None => {
                members.insert("id".to_owned(), Value::String(self.of_line(line)));
            }
            // Not a text: the host says what it thinks of it.
            Some(_) => {}
        }
    }

    /// An object's text with its id: all of it stays as it was written, but for the suffix of an
    /// import again. An `id` that is there stays, whatever it is: what is none, or stands there
    /// twice, is for the host to refuse.
    pub fn put_into(&self, json: &str, members: &Members<'_>, line: u64) -> String {
        let mut own = members.0.iter().filter(|(key, _)| key == "id").map(|(_, value)| value.get());
        match (own.next(), own.next()) {
            (None, _) => {
                let id = Value::String(self.of_line(line));
                let comma = if members.0.is_empty() { "" } else { "," };
                format!("{{\"id\":{id}{comma}{}", &json[1..])
            }
            (Some(own), None) if own.starts_with('"') && !self.suffix.is_empty() => {
                let end = end_of(own, json) - 1;
                let suffix = Value::String(self.suffix.clone()).to_string();
                format!("{}{}{}", &json[..end], &suffix[1..suffix.len() - 1], &json[end..])
            }
            _ => json.to_owned(),
        }
    }
}

/// Where a part of a text ends in it.
fn end_of(part: &str, whole: &str) -> usize {
    part.as_ptr() as usize - whole.as_ptr() as usize + part.len()
}

/// The label of a file: the first hex digits of BLAKE3 over its bytes as they lie on disk.
pub fn digest_label(mut file: impl Read) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut file, &mut hasher)?;
    Ok(hasher.finalize().to_hex()[..DIGEST_HEX_DIGITS].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_has_the_same_id_on_every_run() {
        let label = digest_label(&b"a file"[..]).unwrap();
        assert_eq!(label.len(), DIGEST_HEX_DIGITS);
        assert_eq!(label, digest_label(&b"a file"[..]).unwrap());
        assert_ne!(label, digest_label(&b"another file"[..]).unwrap());
        assert_eq!(Ids::new("0123456789abcdef").of_line(7), "import:0123456789abcdef:7");
    }

    #[test]
    fn own_ids_stay_and_an_import_again_has_others() {
        let mut own = json!({"id": "A1"});
        Ids::new("d").put(&mut own, 1);
        assert_eq!(own["id"], "A1");
        let again = Ids::new("d").again("2");
        again.put(&mut own, 1);
        assert_eq!(own["id"], "A1~2");
        let mut none = json!({"name": "x"});
        again.put(&mut none, 9);
        assert_eq!(none["id"], "import:d:9~2");
    }
}

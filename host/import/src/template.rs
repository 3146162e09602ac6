//! Texts with `{column}`s in them, and what a row's cells make of them.

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// It stands there in every row.
    Text(String),
    /// The cell of this column, counted from 0.
    Column(usize),
    /// The row's line.
    Line,
}

/// A text that is made of a row's cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// What a row's cells make of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// This text.
    Text(String),
    /// None: the row ends before this column.
    Short(usize),
}

impl Template {
    /// `{column}` and `{line}` are replaced, `{{` and `}}` are braces.
    pub fn parse(text: &str, columns: &[String]) -> Result<Template, String> {
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
                return Err(format!("{text:?} has a single {brace}; write {brace}{brace} for the character"));
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(part(name, columns)?);
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Template { parts })
    }

    /// The cell of one column.
    pub fn column(name: &str, columns: &[String]) -> Result<Template, String> {
        Ok(Template { parts: vec![part(name, columns)?] })
    }

    /// The columns in it.
    pub fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Column(number) => Some(*number),
            Part::Text(_) | Part::Line => None,
        })
    }

    /// Whether it has text or several columns, and not one cell alone.
    pub fn is_joined(&self) -> bool {
        self.parts.len() > 1
    }

    /// The text of a row.
    pub fn fill(&self, cells: &[&str], line: u64) -> Made {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Column(number) => match cells.get(*number) {
                    Some(cell) => text.push_str(cell),
                    None => return Made::Short(*number),
                },
                Part::Line => text.push_str(&line.to_string()),
            }
        }
        Made::Text(text)
    }
}

fn part(name: &str, columns: &[String]) -> Result<Part, String> {
    let mut found = columns.iter().enumerate().filter(|(_, column)| *column == name);
    match (found.next(), found.next()) {
        (Some((number, _)), None) => Ok(Part::Column(number)),
        (Some((first, _)), Some((second, _))) => Err(format!(
            "columns {} and {} have the same name {name:?}: give them different names, in the file or with \
             columns = […] and header = true under [file]",
            first + 1,
            second + 1
        )),
        (None, _) if name == "line" => Ok(Part::Line),
        (None, _) => Err(format!("the file has no column {name:?}; it has {}", columns.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_template_mixes_text_columns_and_the_line() {
        let template = Template::parse("{b}-{line}-{{x}}", &columns("a b")).unwrap();
        assert_eq!(template.fill(&["1", "2"], 7), Made::Text("2-7-{x}".to_owned()));
        assert_eq!(template.fill(&["1"], 7), Made::Short(1));
        assert_eq!(template.columns().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_cell_alone_is_joined_to_nothing() {
        let template = Template::parse("{b}", &columns("a b")).unwrap();
        assert_eq!(template.fill(&["1", "2"], 7), Made::Text("2".to_owned()));
        assert_eq!(template.fill(&["1"], 7), Made::Short(1));
        assert!(!template.is_joined());
    }

    #[test]
    fn a_column_called_line_is_a_column() {
        let template = Template::parse("{line}", &columns("line")).unwrap();
        assert_eq!(template.fill(&["x"], 7), Made::Text("x".to_owned()));
    }
}

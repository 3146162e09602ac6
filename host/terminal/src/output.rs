//! Text for people: aligned tables, keys and values, colours only where a person looks.

use std::fmt;

use serde_json::Value;

/// Values longer than this are cut in tables, in characters, so that a line stays a line.
const CELL_CHARS_MAX: usize = 60;

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// What the eye should find first.
    pub fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What can be skipped.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// What went well.
    pub fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// What needs somebody.
    pub fn bad(self, text: &str) -> String {
        self.wrap("31", text)
    }
}

/// Rows under a heading, each column as wide as its widest cell.
#[derive(Debug)]
pub struct Table {
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns whose cells stand at the right: numbers.
    right: Vec<usize>,
}

impl Table {
    /// An empty table.
    pub fn new<const N: usize>(heading: [&str; N]) -> Self {
        Table { heading: heading.map(str::to_owned).to_vec(), rows: Vec::new(), right: Vec::new() }
    }

    /// Puts these columns' cells at the right.
    pub fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Adds a row. Control characters are made visible, long cells cut.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.iter().map(|cell| shortened(&plain(cell))).collect());
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, the heading dim. No blanks at the end of a line.
    pub fn render(&self, paint: Paint) -> String {
        let mut widths: Vec<usize> = self.heading.iter().map(|cell| cell.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: &[String]| {
            let mut line = String::new();
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let blanks = " ".repeat(width - cell.chars().count());
                let parts = if self.right.contains(&column) { [&blanks, cell] } else { [cell, &blanks] };
                line.push_str(if column == 0 { "" } else { "  " });
                line.push_str(parts[0]);
                line.push_str(parts[1]);
            }
            line.trim_end().to_owned()
        };
        let mut text = paint.dim(&line(&self.heading)) + "\n";
        for row in &self.rows {
            text.push_str(&line(row));
            text.push('\n');
        }
        text
    }
}

/// `key  value` lines, the keys as wide as the widest. Keys without a value are left out.
pub fn pairs(pairs: &[(&str, String)], paint: Paint) -> String {
    let width = pairs.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        let blanks = " ".repeat(width - key.chars().count());
        text.push_str(&format!("{}{blanks}  {}\n", paint.dim(key), plain(value)));
    }
    text
}

/// The most, in microseconds, that a host's histograms tell from more.
const LATENCY_MAX_US: f64 = 5_000_000.0;

/// A time that a host told in microseconds: `21 µs`, `1.2 ms`, `5.0 s`; what lies beyond the last bound of
/// its histograms is more than that.
pub fn latency(us: f64) -> String {
    match us {
        us if us > LATENCY_MAX_US => "> 5 s".to_owned(),
        us if us >= 1_000_000.0 => format!("{:.1} s", us / 1e6),
        us if us >= 1_000.0 => format!("{:.1} ms", us / 1e3),
        us => format!("{us:.0} µs"),
    }
}

/// A JSON value as a person writes it: texts bare, lists joined, none as a dash.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// The text with control characters made visible: what a customer typed must not drive the
/// terminal of whoever reads it.
pub fn plain(text: &str) -> String {
    // The bidirectional controls can make a line read as something else.
    let hidden = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(hidden) {
        return text.to_owned();
    }
    text.chars().map(|c| if hidden(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= CELL_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect()
}

/// A moment as people read it: `2026-11-21 10:00:00`, UTC; anything else as it is.
pub fn moment<T: fmt::Display + ?Sized>(moment: &T) -> String {
    let text = moment.to_string();
    match text.parse::<samsyn_vocabulary::Timestamp>() {
        Ok(_) if text.ends_with('Z') && text.len() >= 20 => text[..19].replace('T', " "),
        _ => text,
    }
}

/// A number with thin groups: `69,659`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes with a unit: `1.4 MiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} bytes");
    }
    let mut size = count as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_has_no_blanks_at_the_end() {
        let mut table = Table::new(["FIELD", "CALLS", "SOURCE"]).right(&[1]);
        table.row(["email".into(), "7".into(), "crm".into()]);
        table.row(["första".into(), "1234".into(), String::new()]);
        assert_eq!(table.render(Paint(false)), "FIELD   CALLS  SOURCE\nemail       7  crm\nförsta   1234\n");
    }

    #[test]
    fn pairs_without_a_value_are_left_out() {
        let text =
            pairs(&[("id", "1".into()), ("name", String::new()), ("owner", "CRM".into())], Paint(false));
        assert_eq!(text, "id     1\nowner  CRM\n");
    }

    #[test]
    fn texts_are_made_harmless() {
        assert_eq!(plain("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\u{a}c");
        assert_eq!(plain("Åsa 👋"), "Åsa 👋");
    }

    #[test]
    fn latencies_have_a_unit_that_fits_and_an_end() {
        let micros =
            [0.0, 999.4, 1_000.0, 12_340.0, 500_000.0, 1_000_000.0, 5_000_000.0, 5_000_001.0, 1.8e19];
        let expected =
            ["0 µs", "999 µs", "1.0 ms", "12.3 ms", "500.0 ms", "1.0 s", "5.0 s", "> 5 s", "> 5 s"];
        assert_eq!(micros.map(latency), expected);
    }

    #[test]
    fn numbers_read_easily() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(69_659), "69,659");
        assert_eq!(grouped(1_000_000), "1,000,000");
        assert_eq!(bytes(1_500_000), "1.4 MiB");
        assert_eq!(moment("2026-11-21T10:00:00.250Z"), "2026-11-21 10:00:00");
        assert_eq!(moment("yesterday"), "yesterday");
    }
}

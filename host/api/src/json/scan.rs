//! One pass over a JSON text before it is read: how deep it is, and whether its strings need a closer look.

/// What a scan of a value's text says about it before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// How deep lists and objects stand in each other.
    pub depth: usize,
    /// A text in it may hold control characters or half of a surrogate pair: each is worth a look.
    pub suspect: bool,
}

/// Looks through a JSON text once, byte by byte.
pub fn scan(json: &str) -> Scan {
    let (mut depth, mut deepest, mut suspect, mut in_text) = (0_usize, 0, false, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        if in_text {
            match byte {
                b'"' => in_text = false,
                b'\\' => suspect |= matches!(bytes.next(), Some(b'u' | b'b' | b'f' | b'r')),
                // U+007F, and the first byte of U+0080 to U+009F.
                0x7F | 0xC2 => suspect = true,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Scan { depth: deepest, suspect }
}

/// What kind of JSON stands there; never its content.
pub fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        _ => "nothing",
    }
}

/// The length of a JSON text that starts here, quotes included.
pub fn text_length(json: &str) -> usize {
    let bytes = json.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

//! Which known word a mistyped word probably is.

/// How many are named at most.
const NAMED_MAX: usize = 3;
/// The longest word that is compared, in bytes: what is longer is no mistyped name.
const WORD_BYTES_MAX: usize = 128;
/// A word as short as this is near to others by its letters alone, not as the start of one.
const START_CHARS_MIN: usize = 3;

/// The known words that are near to this one, the nearest first; none when it is near to nothing. Upper
/// and lower case are the same, and so are words with their parts in another order.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if word.is_empty() || word.len() > WORD_BYTES_MAX {
        return Vec::new();
    }
    let mut near: Vec<(usize, &str)> =
        known.into_iter().filter_map(|known| Some((distance(word, known)?, known))).collect();
    near.sort();
    let best = near.first().map_or(0, |(distance, _)| *distance);
    // One that is clearly meant stands alone.
    near.retain(|(distance, _)| *distance <= best + 1);
    near.into_iter().map(|(_, known)| known).take(NAMED_MAX).collect()
}

/// The question whether one of these words was meant; none when there is no such word.
pub fn did_you_mean(near: &[impl std::fmt::Display]) -> Option<String> {
    let quoted: Vec<String> = near.iter().map(|word| format!("`{word}`")).collect();
    let (last, others) = quoted.split_last()?;
    Some(match others {
        [] => format!("Did you mean {last}?"),
        _ => format!("Did you mean {} or {last}?", others.join(", ")),
    })
}

/// How far two words are apart; none when too far for one to be the other mistyped.
fn distance(word: &str, known: &str) -> Option<usize> {
    let [word, known] = [word, known].map(str::to_lowercase);
    let longer = word.chars().count().max(known.chars().count());
    let allowed = (longer / 3).max(1);
    let typed = edits(&word, &known);
    let in_any_order = edits(&in_order(&word), &in_order(&known)) + 1;
    let apart = typed.min(in_any_order);
    let shorter = word.chars().count().min(known.chars().count());
    let is_start = shorter >= START_CHARS_MIN && (known.starts_with(&word) || word.starts_with(&known));
    match apart <= allowed {
        true => Some(apart),
        // Only a part of it was written, or something more.
        false => is_start.then_some(allowed + 1),
    }
}

/// The parts of a name in the order of the alphabet.
fn in_order(name: &str) -> String {
    let mut parts: Vec<&str> = name.split(|letter: char| !letter.is_alphanumeric()).collect();
    parts.sort_unstable();
    parts.join("_")
}

/// How many characters must be added, left out, changed or swapped with their neighbour.
fn edits(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let changed = last[j] + usize::from(a != b);
            let mut least = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 5] = ["first_name", "last_name", "email", "marketing_opted_out", "size"];

    #[test]
    fn what_was_mistyped_is_found() {
        for (word, meant) in [
            ("frist_name", "first_name"),
            ("First_Name", "first_name"),
            ("firstname", "first_name"),
            ("name_first", "first_name"),
            ("emial", "email"),
            ("e-mail", "email"),
            ("marketing", "marketing_opted_out"),
            ("sizes", "size"),
        ] {
            assert_eq!(nearest(word, FIELDS).first(), Some(&meant), "{word}");
        }
    }

    #[test]
    fn what_is_near_to_nothing_is_no_guess() {
        for word in ["", "zodiac", "x", "colour", &"e".repeat(1_000)] {
            assert_eq!(nearest(word, FIELDS), [""; 0], "{word}");
        }
    }

    #[test]
    fn edits_are_counted() {
        for (one, other, count) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "ba", 1),
            ("abc", "ac", 1),
            ("kitten", "sitting", 3),
            ("å", "a", 1),
        ] {
            assert_eq!((edits(one, other), edits(other, one)), (count, count), "{one} {other}");
        }
    }

    #[test]
    fn a_question_names_them() {
        assert_eq!(did_you_mean(&[] as &[&str]), None);
        assert_eq!(did_you_mean(&["a"]).unwrap(), "Did you mean `a`?");
        assert_eq!(did_you_mean(&["a", "b", "c"]).unwrap(), "Did you mean `a`, `b` or `c`?");
    }
}

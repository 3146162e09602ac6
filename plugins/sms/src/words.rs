//! What a message asks for: to stop, to start again, or neither.
//!
//! A wrong yes to "stop" costs a customer their messages until they say START; a wrong no writes
//! to somebody who has forbidden it. So what could be a stop and isn't surely one is looked at by
//! a person, and to start again takes that word alone.
//!
//! A line is a stop when it
//!
//! 1. is a stop word, however its letters are parted (`S T O P`, `opt-out`), or begins with one
//!    and goes on with nothing but stop words and companions (`avsluta tack`, `STOP END QUIT`);
//! 2. or is short (three words) and begins with a stop word that has no other use, such as STOP
//!    itself: `Stop texting me`. Everyday words need rule 1, so `end of story` is none, and
//!    neither is a negation (`sluta inte`) or a set phrase (`stop by tomorrow`).
//!
//! An everyday word with a question mark is a question (`Slut?`: sold out?).
//!
//! A message is a stop when the whole of it is one, or the first line that says anything: below
//! that stand signatures and what is quoted. It is unclear when a stop word is anywhere else in
//! it, also glued to others (`Stop2End`). Letter case, accents and invisible marks make no
//! difference.

use std::collections::BTreeSet;

use crate::fold::fold;
use crate::phrases::{begin_another_phrase, companions, is_doubtful, is_everyday, is_negation};

/// Understood whatever the setting says: carriers require it.
const STOP_ALWAYS: &str = "STOP";
/// And so is this: it is what the customer is told to send.
const START_ALWAYS: &str = "START";
/// "Stop texting me" stops; longer messages may be about something else.
const SHORT_LINE_WORDS_MAX: usize = 3;
/// Longer runs of letters are no words glued together.
const GLUED_LETTERS_MAX: usize = 40;

/// What a message asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// It contains this stop word, as the setting writes it, among others.
    Unclear(String),
    /// Something else.
    Other,
}

/// What the message asks for, with these stop and start words.
pub(crate) fn wish(message: &str, stop_words: &[String], start_words: &[String]) -> Wish {
    let stops = StopWords::new(stop_words);
    let folded = fold(message);
    let first = folded.split(ends_line).find(|line| line.contains(char::is_alphanumeric));
    if stops.is_stop(&folded) || first.is_some_and(|line| stops.is_stop(line)) {
        return Wish::Stop;
    }
    if let Some(word) = stops.contained(&folded) {
        return Wish::Unclear(word.to_owned());
    }
    let whole = letters(&folded);
    let is_start = |word: &str| whole == letters(&fold(word));
    if !whole.is_empty() && (is_start(START_ALWAYS) || start_words.iter().any(|word| is_start(word))) {
        return Wish::Start;
    }
    Wish::Other
}

/// Line feed, carriage return, and the line ends of other systems.
fn ends_line(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The letters and digits alone.
fn letters(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).collect()
}

/// The setting's words: folded, and as it writes them.
struct StopWords<'a> {
    words: Vec<(String, &'a str)>,
    folded: BTreeSet<String>,
    bytes_max: usize,
}

impl<'a> StopWords<'a> {
    fn new(setting: &'a [String]) -> StopWords<'a> {
        let written = setting.iter().map(String::as_str).chain([STOP_ALWAYS]);
        let words: Vec<(String, &str)> = written
            .map(|word| (letters(&fold(word)), word))
            .filter(|(folded, _)| !folded.is_empty())
            .collect();
        let bytes_max = words.iter().map(|(folded, _)| folded.len()).max().unwrap_or(0);
        let folded = words.iter().map(|(folded, _)| folded.clone()).collect();
        StopWords { words, folded, bytes_max }
    }

    fn has(&self, word: &str) -> bool {
        self.folded.contains(word)
    }

    /// Whether this line, or a whole message, is a stop by itself.
    fn is_stop(&self, line: &str) -> bool {
        // Punctuation either parts words ("stop,please") or stands inside one ("opt-out").
        let parted: Vec<&str> =
            line.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let joined: Vec<String> =
            line.split_whitespace().map(letters).filter(|word| !word.is_empty()).collect();
        let joined: Vec<&str> = joined.iter().map(String::as_str).collect();
        [parted, joined].into_iter().any(|words| {
            self.are_nothing_else(&words) && !(line.contains('?') && self.begins_everyday(&words))
                || self.begins_short_stop(&words)
        })
    }

    /// Whether the stop word that these words begin with has other uses.
    fn begins_everyday(&self, words: &[&str]) -> bool {
        let first = self.starts(words).last().map(|&count| words[..count].concat());
        first.is_some_and(|first| is_everyday(&first))
    }

    /// Whether these words begin with a stop word without another use, and there are few.
    fn begins_short_stop(&self, words: &[&str]) -> bool {
        words.first().is_some_and(|first| self.has(first) && !is_everyday(first))
            && words.len() <= SHORT_LINE_WORDS_MAX
            && !words.iter().any(|word| is_negation(word))
            && !begin_another_phrase(words)
    }

    /// How many words from the first make a stop word.
    fn starts(&self, words: &[&str]) -> Vec<usize> {
        let mut starts = Vec::new();
        let mut together = String::new();
        for (index, word) in words.iter().enumerate() {
            together.push_str(word);
            if together.len() > self.bytes_max {
                break;
            }
            if self.has(&together) {
                starts.push(index + 1);
            }
        }
        starts
    }

    /// Whether a stop word begins here, and only stop words and companions follow.
    fn are_nothing_else(&self, words: &[&str]) -> bool {
        // Which words can be the next one, with everything before them accounted for.
        let mut reached = vec![false; words.len() + 1];
        for count in self.starts(words) {
            reached[count] = true;
        }
        for at in 1..words.len() {
            if !reached[at] {
                continue;
            }
            if companions().any(|companion| companion == words[at]) {
                reached[at + 1] = true;
            }
            for count in self.starts(&words[at..]) {
                reached[at + count] = true;
            }
        }
        reached[words.len()]
    }

    /// A stop word somewhere in the message, as the setting writes it.
    fn contained(&self, message: &str) -> Option<&'a str> {
        let runs: BTreeSet<&str> =
            message.split(|char: char| !char.is_alphabetic()).filter(|run| !run.is_empty()).collect();
        let parted: BTreeSet<&str> = message.split(|char: char| !char.is_alphanumeric()).collect();
        let joined: BTreeSet<String> = message.split_whitespace().map(letters).collect();
        let whole = letters(message);
        let is_there = |word: &str| {
            runs.contains(word) || parted.contains(word) || joined.contains(word) || whole == word
        };
        let there = self.words.iter().find(|(folded, _)| is_there(folded)).map(|(_, written)| *written);
        there
            .or_else(|| runs.iter().any(|run| self.is_glued(run)).then_some(STOP_ALWAYS))
            .or_else(|| is_doubtful(&whole).then_some(STOP_ALWAYS))
    }

    /// Whether these letters are stop words and companions without spaces, such as `stopsms`.
    fn is_glued(&self, run: &str) -> bool {
        if run.len() > GLUED_LETTERS_MAX {
            return false;
        }
        // Companions of one or two letters would make stop words of their own inflections.
        let companions: Vec<&str> = companions().filter(|word| word.len() > 2).chain(["to"]).collect();
        let mut reached = vec![Reached::Not; run.len() + 1];
        reached[0] = Reached::ByCompanions;
        for at in 0..run.len() {
            let (before, Some(rest)) = (reached[at], run.get(at..)) else { continue };
            if before == Reached::Not {
                continue;
            }
            for (word, _) in self.words.iter().filter(|(word, _)| rest.starts_with(word.as_str())) {
                reached[at + word.len()] = Reached::ByStopWord;
            }
            for word in companions.iter().filter(|word| rest.starts_with(**word)) {
                let after = &mut reached[at + word.len()];
                *after = (*after).max(before);
            }
        }
        reached[run.len()] == Reached::ByStopWord
    }
}

/// How far into a run of letters words reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Not,
    ByCompanions,
    ByStopWord,
}

#[cfg(test)]
mod tests;

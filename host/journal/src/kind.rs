//! The kinds of records, and the one place that numbers them.

use super::{CallRecord, Record, RecordError};

/// What a record is, as the log's envelope says it. A number is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordKind {
    /// [`Record::Accepted`](super::Record::Accepted).
    Accepted = 1,
    /// [`Record::Decided`](super::Record::Decided).
    Decided = 2,
    /// [`Record::Adopted`](super::Record::Adopted).
    Adopted = 3,
    /// [`Record::Linked`](super::Record::Linked).
    Linked = 4,
    /// [`Record::Registry`](super::Record::Registry).
    Registry = 5,
    /// [`Record::Late`](super::Record::Late).
    Late = 6,
    /// [`Record::Due`](super::Record::Due).
    Due = 7,
    /// [`Record::Body`](super::Record::Body).
    Body = 8,
    /// [`Record::Call`](super::Record::Call) with a [`Sending`](super::Sending).
    Sending = 9,
    /// [`Record::Call`](super::Record::Call) with a [`Retrying`](super::Retrying).
    Retrying = 10,
    /// [`Record::Call`](super::Record::Call) with an [`Answered`](super::Answered).
    Answered = 11,
    /// [`Record::Call`](super::Record::Call) with a [`Settled`](super::Settled).
    Settled = 12,
    /// [`Record::Call`](super::Record::Call) with a [`Doubted`](super::Doubted).
    Doubted = 13,
    /// [`Record::Call`](super::Record::Call) with a [`Framed`](super::Framed).
    Framed = 14,
}

impl RecordKind {
    /// All of them, in the order of their numbers, which begin with 1.
    pub const ALL: [RecordKind; 14] = [
        RecordKind::Accepted,
        RecordKind::Decided,
        RecordKind::Adopted,
        RecordKind::Linked,
        RecordKind::Registry,
        RecordKind::Late,
        RecordKind::Due,
        RecordKind::Body,
        RecordKind::Sending,
        RecordKind::Retrying,
        RecordKind::Answered,
        RecordKind::Settled,
        RecordKind::Doubted,
        RecordKind::Framed,
    ];

    /// Its number in the log's envelope.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind with this number.
    pub fn of_number(number: u8) -> Result<RecordKind, RecordError> {
        let kind = usize::from(number).checked_sub(1).and_then(|at| RecordKind::ALL.get(at));
        kind.copied().ok_or_else(|| RecordError::kind(number))
    }
}

impl Record {
    /// Its kind; none when it was erased.
    pub fn kind(&self) -> Option<RecordKind> {
        match self {
            Record::Accepted(_) => Some(RecordKind::Accepted),
            Record::Decided(_) => Some(RecordKind::Decided),
            Record::Adopted(_) => Some(RecordKind::Adopted),
            Record::Linked(_) => Some(RecordKind::Linked),
            Record::Registry(_) => Some(RecordKind::Registry),
            Record::Late(_) => Some(RecordKind::Late),
            Record::Due(_) => Some(RecordKind::Due),
            Record::Body(_) => Some(RecordKind::Body),
            Record::Call(CallRecord::Sending(_)) => Some(RecordKind::Sending),
            Record::Call(CallRecord::Retrying(_)) => Some(RecordKind::Retrying),
            Record::Call(CallRecord::Answered(_)) => Some(RecordKind::Answered),
            Record::Call(CallRecord::Settled(_)) => Some(RecordKind::Settled),
            Record::Call(CallRecord::Doubted(_)) => Some(RecordKind::Doubted),
            Record::Call(CallRecord::Framed(_)) => Some(RecordKind::Framed),
            Record::Erased => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logs that exist have these numbers.
    #[test]
    fn every_kind_has_its_number_and_no_other() {
        let numbers = RecordKind::ALL.map(RecordKind::number);
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
        for number in 0..=u8::MAX {
            match RecordKind::of_number(number) {
                Ok(kind) => assert_eq!(kind.number(), number),
                Err(_) => assert!(!numbers.contains(&number)),
            }
        }
    }
}

//! Who an identifier finds, and who waits for it.
//!
//! One identifier finds one profile: its owner. A profile that shows the same value, or came by it in
//! an event, can't have it and stands in line: when the owner's link ends, the first in line gets it,
//! and what concerns a number or address (a STOP, a bounce) reaches the line as well.
//!
//! A line has numbered places, and a place is a link like any other: so nothing that keeps links has to
//! know of lines.

use serde::{Deserialize, Serialize};

use samsyn_vocabulary::{IdentifierName, ProfileId};

/// Profiles that can wait in one line: beyond that nobody is added, and the conflict is still recorded.
/// A company's switchboard is the number of some hundred customers.
pub const LINE_POSITIONS_MAX: u16 = 500;

/// The version of normal forms of the first hosts, whose records don't name one.
const FIRST_FORM: u8 = 1;

/// An identifier belongs to a profile, or does so no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// Which kind of name.
    pub identifier: IdentifierName,
    /// Its normal form.
    pub normal: String,
    pub profile: ProfileId,
    /// The link ends instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
    /// It is a place in a line; none when the identifier finds the profile.
    #[serde(rename = "place", default, skip_serializing_if = "Option::is_none")]
    pub line_position: Option<LinePosition>,
    /// Which version of the normaliser made the form, see [`samsyn_registry::FORM_VERSION`].
    #[serde(default = "first_form", skip_serializing_if = "is_first_form")]
    pub version: u8,
}

fn first_form() -> u8 {
    FIRST_FORM
}

fn is_first_form(version: &u8) -> bool {
    *version == FIRST_FORM
}

/// Why a profile stands in line for an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// A field that identifies shows the value. Whoever shows a value comes first.
    Shown,
    /// An event came with the identifier.
    Sent,
}

impl Line {
    /// All lines, in the order in which a freed identifier is given away.
    pub const ALL: [Line; 2] = [Line::Shown, Line::Sent];
}

/// A place in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LinePosition {
    /// Which line.
    pub line: Line,
    /// Its number, from 0; places are taken without gaps.
    pub number: u16,
}

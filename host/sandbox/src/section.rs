//! The outermost sections of a component or module. Both are a header of eight bytes and then
//! sections: an id, a length as LEB128, the content. A custom section has id 0 and starts with a
//! name, itself a length and text.

use std::borrow::Cow;
use std::ops::Range;

use wasm_encoder::{CustomSection, Encode};
use wasmparser::BinaryReader;

use super::error::PackageError;

const HEADER_BYTES: usize = 8;
const CUSTOM_SECTION: u8 = 0;

struct Section<'a> {
    /// The whole of it, id and length included.
    range: Range<usize>,
    /// A custom section's name and content.
    custom: Option<(&'a str, &'a [u8])>,
}

/// The names of the custom sections.
pub(super) fn names(bytes: &[u8]) -> Result<Vec<&str>, PackageError> {
    Ok(sections(bytes)?.into_iter().filter_map(|section| Some(section.custom?.0)).collect())
}

/// The contents of the custom sections of that name.
pub(super) fn custom<'a>(bytes: &'a [u8], name: &str) -> Result<Vec<&'a [u8]>, PackageError> {
    let customs = sections(bytes)?.into_iter().filter_map(|section| section.custom);
    Ok(customs.filter(|(found, _)| *found == name).map(|(_, content)| content).collect())
}

/// The same bytes with this one custom section of that name, at the end.
pub(super) fn replace(bytes: &[u8], name: &str, content: &[u8]) -> Result<Vec<u8>, PackageError> {
    let mut replaced = bytes.get(..HEADER_BYTES).ok_or(PackageError::NotWasm)?.to_vec();
    for section in sections(bytes)? {
        if section.custom.is_none_or(|(found, _)| found != name) {
            replaced.extend_from_slice(&bytes[section.range]);
        }
    }
    replaced.push(CUSTOM_SECTION);
    CustomSection { name: Cow::Borrowed(name), data: Cow::Borrowed(content) }.encode(&mut replaced);
    Ok(replaced)
}

fn sections(bytes: &[u8]) -> Result<Vec<Section<'_>>, PackageError> {
    let body = bytes.get(HEADER_BYTES..).ok_or(PackageError::NotWasm)?;
    let mut reader = BinaryReader::new(body, HEADER_BYTES);
    let mut sections = Vec::new();
    while !reader.eof() {
        sections.push(next(&mut reader).map_err(PackageError::invalid)?);
    }
    Ok(sections)
}

fn next<'a>(reader: &mut BinaryReader<'a>) -> wasmparser::Result<Section<'a>> {
    let start = reader.original_position();
    let id = reader.read_u8()?;
    let length = reader.read_var_u32()?;
    let content_start = reader.original_position();
    let content = reader.read_bytes(length as usize)?;
    let custom = if id == CUSTOM_SECTION {
        let mut inner = BinaryReader::new(content, content_start);
        let name = inner.read_string()?;
        Some((name, inner.read_bytes(inner.bytes_remaining())?))
    } else {
        None
    };
    Ok(Section { range: start..reader.original_position(), custom })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module's header and nothing else.
    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn a_section_is_replaced_and_others_stay() {
        let once = replace(EMPTY, "other", b"stays").unwrap();
        let once = replace(&once, "ours", b"first").unwrap();
        let twice = replace(&once, "ours", b"second").unwrap();
        assert_eq!(names(&twice).unwrap(), ["other", "ours"]);
        assert_eq!(custom(&twice, "ours").unwrap(), [b"second"]);
        assert_eq!(custom(&twice, "other").unwrap(), [b"stays"]);
    }

    #[test]
    fn a_length_beyond_the_end_is_an_error() {
        let mut bytes = EMPTY.to_vec();
        bytes.extend_from_slice(&[0, 200, 1, 1, b'x']);
        assert!(matches!(sections(&bytes), Err(PackageError::Invalid { .. })));
        assert!(matches!(sections(b"\0asm"), Err(PackageError::NotWasm)));
    }
}

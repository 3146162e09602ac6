//! The catalogue of problems as a page: `docs/errors.md`, and `GET /errors`.

use std::fmt::Write as _;

use super::catalogue::{Entry, KINDS};

const INTRODUCTION: &str = "Every error the host answers with is a problem document (RFC 9457). \
Its `type` is `/errors#` and the code below; `code` is the code alone, `detail` what happened this time, \
`place` where in the request, `next` what to do. If `retryable` is true, the request is valid: \
send the same again after the seconds in `Retry-After`.";

/// The page as Markdown.
pub fn markdown() -> String {
    let mut page = format!("# Problems\n\n{INTRODUCTION}\n");
    for kind in KINDS {
        let entry = kind.entry();
        let _ = write!(
            page,
            "\n<a id=\"{code}\"></a>\n## {code}\n\n**{}** · {}{}\n\n{}\n\n*To fix it:* {}\n",
            entry.title,
            entry.status,
            retryable(entry),
            entry.cause,
            entry.fix,
            code = entry.code
        );
    }
    page
}

/// The page as plain HTML, with an anchor for each code.
pub fn html() -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Problems</title></head><body>\n\
         <h1>Problems</h1>\n<p>{}</p>\n",
        inline(INTRODUCTION)
    );
    for kind in KINDS {
        let entry = kind.entry();
        let _ = write!(
            page,
            "<h2 id=\"{code}\">{code}</h2>\n<p><b>{}</b> · {}{}</p>\n<p>{}</p>\n<p><i>To fix it:</i> {}</p>\n",
            inline(entry.title),
            entry.status,
            inline(retryable(entry)),
            inline(entry.cause),
            inline(entry.fix),
            code = entry.code
        );
    }
    page.push_str("</body></html>\n");
    page
}

fn retryable(entry: &Entry) -> &'static str {
    if entry.retryable { " · `retryable`" } else { "" }
}

/// Escapes HTML, and makes `code` of what stands in backquotes.
fn inline(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    let mut in_code = false;
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '`' => {
                html.push_str(if in_code { "</code>" } else { "<code>" });
                in_code = !in_code;
            }
            letter => html.push(letter),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What whoever opens the file should know, and no reader of the page.
    const WRITTEN: &str = "<!-- Written from host/wire/src/catalogue.rs: `SAMSYN_WRITE_DOCS=1 cargo test --workspace --lib errors_page`. -->\n";

    #[test]
    fn the_page_in_docs_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
        let page = format!("{WRITTEN}{}", markdown());
        if std::env::var_os("SAMSYN_WRITE_DOCS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap();
        assert!(
            found == page,
            "docs/errors.md is old: SAMSYN_WRITE_DOCS=1 cargo test --workspace --lib errors_page"
        );
    }

    #[test]
    fn html_has_an_anchor_for_each_type_and_no_stray_markup() {
        let page = html();
        for kind in KINDS {
            assert!(page.contains(&format!("id=\"{}\"", kind.entry().code)));
        }
        assert!(!page.contains('`'));
        assert_eq!(page.matches("<code>").count(), page.matches("</code>").count());
    }
}

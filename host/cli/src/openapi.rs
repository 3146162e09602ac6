//! `samsyn openapi`: the HTTP interface's description, for generators of clients.

use samsyn_api::openapi;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn openapi > openapi.json
  samsyn openapi | jq '.paths | keys'

A running host serves the same document at /openapi.json, without a token.";

/// Prints the description. It is JSON with and without `--json`; without, a person may read it.
pub fn run(context: &Context) -> Result<(), CliError> {
    let document = openapi::document();
    context.answer(&document.to_string(), |_| format!("{document:#}\n"))
}

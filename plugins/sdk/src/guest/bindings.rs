//! The contract's bindings: the imports of every plug-in. Those of the roles stand in `roles`.

/// What every plug-in may import.
pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package samsyn:sdk; world imports { include samsyn:plugin/plugin@0.1.0; import samsyn:plugin/types@0.1.0; }",
        world: "samsyn:sdk/imports",
        generate_all,
        generate_unused_types: true,
    });
}

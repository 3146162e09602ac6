//! The contract's bindings: one world for the imports of every plug-in, and one for each role. So a
//! component exports only the roles that its author listed.

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

/// Role: handles events.
pub mod subscriber {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package samsyn:sdk; world subscriber-role { export samsyn:plugin/subscriber@0.1.0; }",
        world: "samsyn:sdk/subscriber-role",
        with: { "samsyn:plugin/types@0.1.0": crate::guest::bindings::imports::samsyn::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export_subscriber",
        default_bindings_module: "samsyn_plugin::guest::bindings::subscriber",
    });
}

/// Role: decides fields.
pub mod source {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package samsyn:sdk; world source-role { export samsyn:plugin/source@0.1.0; }",
        world: "samsyn:sdk/source-role",
        with: { "samsyn:plugin/types@0.1.0": crate::guest::bindings::imports::samsyn::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export_source",
        default_bindings_module: "samsyn_plugin::guest::bindings::source",
    });
}

/// Role: observes changes.
pub mod observer {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package samsyn:sdk; world observer-role { export samsyn:plugin/observer@0.1.0; }",
        world: "samsyn:sdk/observer-role",
        with: { "samsyn:plugin/types@0.1.0": crate::guest::bindings::imports::samsyn::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export_observer",
        default_bindings_module: "samsyn_plugin::guest::bindings::observer",
    });
}

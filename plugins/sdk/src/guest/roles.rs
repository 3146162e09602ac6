//! The roles of a component: the world of each, so that it exports only those that its author listed, and the
//! author's type behind them.

use std::marker::PhantomData;

use super::bindings::imports::samsyn::plugin::types;
use super::{SETTINGS, convert, effects, panic};
use crate::{
    Answer, Caller, Finding, Judge, Observer, Prober, Response, Source, Subscriber, Timed, Timestamp,
};

/// Role: handles events.
pub mod subscriber {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package samsyn:sdk; world subscriber-role { export samsyn:plugin/subscriber@0.1.0; }",
        world: "samsyn:sdk/subscriber-role",
        with: { "samsyn:plugin/types@0.1.0": crate::guest::bindings::imports::samsyn::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export_subscriber",
        default_bindings_module: "samsyn_plugin::guest::roles::subscriber",
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
        default_bindings_module: "samsyn_plugin::guest::roles::source",
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
        default_bindings_module: "samsyn_plugin::guest::roles::observer",
    });
}

/// Role: is invoked when its timers are due.
pub mod timed {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package samsyn:sdk; world timed-role { export samsyn:plugin/timed@0.1.0; }",
        world: "samsyn:sdk/timed-role",
        with: { "samsyn:plugin/types@0.1.0": crate::guest::bindings::imports::samsyn::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export_timed",
        default_bindings_module: "samsyn_plugin::guest::roles::timed",
    });
}

/// Role: hears the answers to its calls.
pub mod caller {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package samsyn:sdk; world caller-role { export samsyn:plugin/caller@0.1.0; }",
        world: "samsyn:sdk/caller-role",
        with: { "samsyn:plugin/types@0.1.0": crate::guest::bindings::imports::samsyn::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export_caller",
        default_bindings_module: "samsyn_plugin::guest::roles::caller",
    });
}

/// Role: begins look-ups.
pub mod prober {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package samsyn:sdk; world prober-role { export samsyn:plugin/prober@0.1.0; }",
        world: "samsyn:sdk/prober-role",
        with: { "samsyn:plugin/types@0.1.0": crate::guest::bindings::imports::samsyn::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export_prober",
        default_bindings_module: "samsyn_plugin::guest::roles::prober",
    });
}

/// Role: judges the answers to look-ups.
pub mod judge {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package samsyn:sdk; world judge-role { export samsyn:plugin/judge@0.1.0; }",
        world: "samsyn:sdk/judge-role",
        with: { "samsyn:plugin/types@0.1.0": crate::guest::bindings::imports::samsyn::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export_judge",
        default_bindings_module: "samsyn_plugin::guest::roles::judge",
    });
}

/// The type that the bindings export: the author's type behind the conversions.
pub struct Exported<P>(PhantomData<P>);

impl<P: Subscriber> subscriber::exports::samsyn::plugin::subscriber::Guest for Exported<P> {
    fn on_event(event: types::Event, profile: types::Profile) -> Result<(), String> {
        panic::report_to_host();
        let run = || {
            let (event, profile) = (convert::event(event)?, convert::profile(profile)?);
            P::on_event(&event, &profile, &SETTINGS, &mut effects())
        };
        run().map_err(|error| error.to_string())
    }
}

impl<P: Source> source::exports::samsyn::plugin::source::Guest for Exported<P> {
    fn on_proposal(proposed: Vec<types::Proposal>, profile: types::Profile) -> Result<(), String> {
        panic::report_to_host();
        let run = || {
            let (proposals, profile) = (convert::proposals(proposed)?, convert::profile(profile)?);
            P::on_proposal(&proposals, &profile, &SETTINGS, &mut effects())
        };
        run().map_err(|error| error.to_string())
    }
}

impl<P: Observer> observer::exports::samsyn::plugin::observer::Guest for Exported<P> {
    fn on_change(changes: Vec<types::Change>, at: i64, profile: types::Profile) -> Result<(), String> {
        panic::report_to_host();
        let run = || {
            let (changes, profile) = (convert::changes(changes)?, convert::profile(profile)?);
            P::on_change(&changes, Timestamp::from_millis(at), &profile, &SETTINGS, &mut effects())
        };
        run().map_err(|error| error.to_string())
    }
}

impl<P: Timed> timed::exports::samsyn::plugin::timed::Guest for Exported<P> {
    fn on_timer(name: String, due: i64, now: i64, profile: types::Profile) -> Result<(), String> {
        panic::report_to_host();
        let run = || {
            let (due, now) = (Timestamp::from_millis(due), Timestamp::from_millis(now));
            P::on_timer(&name, due, now, &convert::profile(profile)?, &SETTINGS, &mut effects())
        };
        run().map_err(|error| error.to_string())
    }
}

impl<P: Caller> caller::exports::samsyn::plugin::caller::Guest for Exported<P> {
    fn on_answer(
        endpoint: String,
        answer: caller::exports::samsyn::plugin::caller::Answer,
        note: Option<Vec<u8>>,
        at: i64,
        profile: types::Profile,
    ) -> Result<(), String> {
        use caller::exports::samsyn::plugin::caller::Answer as Given;
        panic::report_to_host();
        let answer = match answer {
            Given::Response(response) => Answer::Response(Response {
                status: response.status,
                headers: response.headers,
                body: response.body,
            }),
            Given::NotSent(why) => Answer::NotSent(why),
            Given::Unknown(why) => Answer::Unknown(why),
        };
        let run = || {
            let (at, profile) = (Timestamp::from_millis(at), convert::profile(profile)?);
            P::on_answer(&endpoint, &answer, note.as_deref(), at, &profile, &SETTINGS, &mut effects())
        };
        run().map_err(|error| error.to_string())
    }
}

impl<P: Prober> prober::exports::samsyn::plugin::prober::Guest for Exported<P> {
    fn on_doubt(endpoint: String, note: Option<Vec<u8>>, profile: types::Profile) -> Result<(), String> {
        panic::report_to_host();
        let run = || {
            let profile = convert::profile(profile)?;
            P::on_doubt(&endpoint, note.as_deref(), &profile, &SETTINGS, &mut effects())
        };
        run().map_err(|error| error.to_string())
    }
}

impl<P: Judge> judge::exports::samsyn::plugin::judge::Guest for Exported<P> {
    fn on_lookup(
        answer: judge::exports::samsyn::plugin::judge::Lookup,
        note: Option<Vec<u8>>,
        profile: types::Profile,
    ) -> Result<judge::exports::samsyn::plugin::judge::Finding, String> {
        use judge::exports::samsyn::plugin::judge::Finding as Told;
        panic::report_to_host();
        let answer = Response { status: answer.status, headers: answer.headers, body: answer.body };
        let run = || {
            let profile = convert::profile(profile)?;
            P::on_lookup(&answer, note.as_deref(), &profile, &SETTINGS, &mut effects())
        };
        match run() {
            Ok(Finding::Found) => Ok(Told::Found),
            Ok(Finding::Absent) => Ok(Told::Absent),
            Ok(Finding::Unknown) => Ok(Told::Unknown),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_role {
    (Prober, $plugin:ty) => {
        const _: () = {
            type Exported = $crate::guest::roles::Exported<$plugin>;
            $crate::guest::roles::prober::export_prober!(Exported with_types_in $crate::guest::roles::prober);
        };
    };
    (Judge, $plugin:ty) => {
        const _: () = {
            type Exported = $crate::guest::roles::Exported<$plugin>;
            $crate::guest::roles::judge::export_judge!(Exported with_types_in $crate::guest::roles::judge);
        };
    };
    (Caller, $plugin:ty) => {
        const _: () = {
            type Exported = $crate::guest::roles::Exported<$plugin>;
            $crate::guest::roles::caller::export_caller!(Exported with_types_in $crate::guest::roles::caller);
        };
    };
    (Subscriber, $plugin:ty) => {
        const _: () = {
            type Exported = $crate::guest::roles::Exported<$plugin>;
            $crate::guest::roles::subscriber::export_subscriber!(Exported with_types_in $crate::guest::roles::subscriber);
        };
    };
    (Source, $plugin:ty) => {
        const _: () = {
            type Exported = $crate::guest::roles::Exported<$plugin>;
            $crate::guest::roles::source::export_source!(Exported with_types_in $crate::guest::roles::source);
        };
    };
    (Observer, $plugin:ty) => {
        const _: () = {
            type Exported = $crate::guest::roles::Exported<$plugin>;
            $crate::guest::roles::observer::export_observer!(Exported with_types_in $crate::guest::roles::observer);
        };
    };
    (Timed, $plugin:ty) => {
        const _: () = {
            type Exported = $crate::guest::roles::Exported<$plugin>;
            $crate::guest::roles::timed::export_timed!(Exported with_types_in $crate::guest::roles::timed);
        };
    };
}

//! Every problem the host can answer with: code, status, title, cause and how to mend it.
//!
//! The one list. `docs/errors.md` and `GET /errors` are written from it, and a problem can only
//! be made from one of these.

use axum::http::StatusCode;

/// What a kind of problem is, for a person who meets it for the first time.
pub struct Entry {
    /// The stable word behind `/errors#` in a problem's `type`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// The kind in a few words.
    pub title: &'static str,
    /// How it comes about.
    pub cause: &'static str,
    /// What to do.
    pub mend: &'static str,
    /// Nothing is wrong with the request: the same may succeed in a while. Such an answer has
    /// `Retry-After`.
    pub retryable: bool,
}

macro_rules! catalogue {
    (@retryable) => { false };
    (@retryable retryable) => { true };
    ($($kind:ident $code:literal $status:ident $($retryable:ident)?, $title:literal, $cause:literal, $mend:literal;)*) => {
        /// A kind of problem. Codes stay as they are: clients rely on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(#[doc = $title] $kind,)*
        }

        /// Every kind, in the order of the page.
        pub const KINDS: &[Kind] = &[$(Kind::$kind),*];

        impl Kind {
            /// The kind's entry in the catalogue.
            pub const fn entry(self) -> &'static Entry {
                match self {
                    $(Kind::$kind => &Entry {
                        code: $code,
                        status: StatusCode::$status,
                        title: $title,
                        cause: $cause,
                        mend: $mend,
                        retryable: catalogue!(@retryable $($retryable)?),
                    },)*
                }
            }
        }
    };
}

catalogue! {
    // The request as a whole.
    Unauthorized "unauthorized" UNAUTHORIZED, "No valid token",
        "The call has no `Authorization: Bearer` header, or its token is mistyped, unknown, revoked or expired.",
        "Send a valid token. An administrator makes one with `samsyn token create`; the first admin token was printed on the host's first start.";
    ScopeMissing "scope-missing" FORBIDDEN, "The token may not do this",
        "The token is valid, but it has no scope for this call, or its scope doesn't take in the field or event that the detail names.",
        "Use a token with the scope that the detail names; an administrator makes one with `samsyn token create --scope`.";
    ApplicationForbidden "application-forbidden" FORBIDDEN, "The token acts for another application",
        "A token is bound to one application, and `Samsyn-Application` names another. Only an admin token may act for others.",
        "Leave the header out, or use that application's own token.";
    RateLimited "rate-limited" TOO_MANY_REQUESTS retryable, "The token is too fast",
        "The token made more requests, or sent more events, than it may in a second.",
        "Wait as long as `Retry-After` says. Events are best sent in lists; an administrator can make a token with another rate.";
    ApplicationInvalid "application-invalid" BAD_REQUEST, "Not an application's name",
        "The header `Samsyn-Application` doesn't hold a name such as `web` or `pos-sync`.",
        "Use lower-case letters and digits in parts joined by hyphens, at most 64 bytes.";
    NotFound "not-found" NOT_FOUND, "No such call",
        "The path is none of the interface's.",
        "Compare it with docs/http.md; every call but health and errors starts with `/v1/` or is `/metrics`.";
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED, "The path doesn't take this method",
        "The path exists, but not for this method.",
        "Use one of those the answer's `Allow` header lists.";
    UnknownContentType "unknown-content-type" UNSUPPORTED_MEDIA_TYPE, "The body's type isn't taken here",
        "`Content-Type` is missing or is none that the call takes.",
        "Send the type that the detail names.";
    UnknownEncoding "unknown-encoding" UNSUPPORTED_MEDIA_TYPE, "The body's encoding isn't known",
        "`Content-Encoding` is something else than `gzip` or `identity`, or there is more than one.",
        "Send the body as it is, or with gzip.";
    BadGzip "bad-gzip" BAD_REQUEST, "The body is not gzip",
        "`Content-Encoding: gzip` was said, but the body can't be decompressed.",
        "Compress the body, or leave the header out.";
    BodyTooLarge "body-too-large" PAYLOAD_TOO_LARGE, "The body is too large",
        "The body has more bytes than the call takes, counted after decompression.",
        "Send it in parts: 500 KiB for JSON, 32 MiB for a component.";
    BodyIncomplete "body-incomplete" BAD_REQUEST, "The body broke off",
        "The connection ended before the whole body was there.",
        "Send the request again; events with an `id` are taken once.";
    SlowBody "slow-body" REQUEST_TIMEOUT, "The body took too long",
        "The body was not there within the time a request has.",
        "Send smaller batches, or over a better connection.";
    QueryInvalid "query-invalid" BAD_REQUEST, "A query parameter can't be used",
        "A parameter is none of the call's, given twice, or its value is none it can have. What caches and links add (`_`, `utm_…`, `gclid` and their like) is passed over; all else could be a typing error.",
        "Correct the parameter that the detail names.";
    CursorInvalid "cursor-invalid" BAD_REQUEST, "Not a cursor of this list",
        "`cursor` is not what an earlier answer of the same list gave as `next`.",
        "Start again without `cursor` and follow `next` as it comes.";
    PreconditionInvalid "precondition-invalid" BAD_REQUEST, "The precondition can't be used",
        "`If-Match` holds no strong ETag, or more than one.",
        "Send the `ETag` of the profile as it was answered, in its quotes, or `*`.";
    PreconditionFailed "precondition-failed" PRECONDITION_FAILED, "The customer has changed meanwhile",
        "`If-Match` was sent, and when the proposal was decided the customer's visible values were no longer those that its ETag stands for. Nothing of it was proposed to a source.",
        "Read the profile again, and propose what still makes sense with the new `ETag`.";
    HostInvalid "host-invalid" BAD_REQUEST, "Not one host",
        "A request of HTTP/1.1 names the host it is meant for in one `Host` header (RFC 9112, section 3.2); here it is missing, stands there twice, or is no host's name.",
        "Let an HTTP library write the header; behind a proxy, see that it passes one on.";
    TooManyRequests "too-many-requests" TOO_MANY_REQUESTS retryable, "Too many requests at once",
        "This client has more requests under way than one client may have.",
        "Wait for answers before sending more, and at least as long as `Retry-After` says.";
    Busy "busy" SERVICE_UNAVAILABLE retryable, "The host is busy",
        "More is waiting to be decided, or under way, than the host holds. Nothing is wrong with the request.",
        "Send the same again after the seconds in `Retry-After`; events with an `id` are taken once.";
    LogFailed "log-failed" SERVICE_UNAVAILABLE retryable, "The host can't write its log",
        "A write or sync failed, so nothing more is taken: what was acknowledged before is safe.",
        "See the host's own log for the disk's error, mend it and start the host again; then send again.";
    ViewFailed "view-failed" SERVICE_UNAVAILABLE retryable, "The host can't keep its view",
        "The view, what the log folds into, can't be written or read. So nothing more is taken; what was acknowledged is safe in the log.",
        "See `samsyn status` and the host's own log for the disk's error, mend it and start the host again: it brings the view up to date, or folds it anew.";
    LogUnreadable "log-unreadable" INTERNAL_SERVER_ERROR, "What the log holds can't be read",
        "The disk gives an error, or other bytes than were written: a record that doesn't match its checksums is never answered.",
        "Run `samsyn log verify` on the host's machine: it names the place. Then restore a backup, or see what `samsyn log repair --dry-run` says.";
    NotReady "not-ready" SERVICE_UNAVAILABLE retryable, "The host doesn't take events now",
        "It is starting, stopping or has lost its log.",
        "Try again in a moment; the detail says what it waits for.";
    Internal "internal" INTERNAL_SERVER_ERROR, "A fault of the host",
        "Something happened that should not be able to happen.",
        "Send again; if it stays, report it with the time and the host's log.";

    // JSON.
    NotUtf8 "not-utf8" BAD_REQUEST, "The body is not UTF-8",
        "A byte sequence of the body is no UTF-8 text.",
        "Encode the text as UTF-8; the detail names the first byte that isn't.";
    MalformedJson "malformed-json" BAD_REQUEST, "The body is not JSON",
        "The text breaks a rule of JSON (RFC 8259): a missing comma or quote, a number such as NaN, an end that comes early.",
        "Correct the text at the line and column in the detail; a JSON library writes it right.";
    TooDeep "too-deep" UNPROCESSABLE_ENTITY, "Nested too deep",
        "Lists and objects stand in each other more than 32 deep.",
        "Send flatter data.";
    WrongType "wrong-type" UNPROCESSABLE_ENTITY, "A value of another type",
        "What stands at the place is not of the type that belongs there, or would lose something by becoming it.",
        "Send the type that the detail names.";
    UnknownKey "unknown-key" UNPROCESSABLE_ENTITY, "A key nobody knows",
        "An object has a member that isn't part of it: most often a typing error.",
        "Correct or remove the key; the detail names those that are known.";
    DuplicateKey "duplicate-key" UNPROCESSABLE_ENTITY, "A key stands there twice",
        "An object has the same member twice, and it can't be told which is meant.",
        "Send it once.";
    MissingKey "missing-key" UNPROCESSABLE_ENTITY, "Something required is missing",
        "A member that the object must have isn't there.",
        "Add the member that the detail names.";
    NameInvalid "name-invalid" UNPROCESSABLE_ENTITY, "Not a name",
        "The name has letters that such a name can't have, or is too long.",
        "Write it as the detail says.";
    ControlCharacters "control-characters" UNPROCESSABLE_ENTITY, "A text with control characters",
        "A text holds a character such as NUL or escape; only line feed and tab are taken. Line ends with a carriage return, and NULs at the end of a text, are no fault: see docs/http.md.",
        "Remove them before sending; a line ends with a line feed alone.";

    // Events.
    EventTooLarge "event-too-large" PAYLOAD_TOO_LARGE, "The event is too large",
        "One event has more than 32 KiB of JSON.",
        "Send what the capabilities need, and a reference to the rest.";
    TooManyEvents "too-many-events" PAYLOAD_TOO_LARGE, "Too many events in one request",
        "The list has more than 2,500 events; none was taken.",
        "Send several lists.";
    ReservedName "reserved-name" UNPROCESSABLE_ENTITY, "The name is the platform's own",
        "Event names that start with `samsyn.` are made by the host.",
        "Choose another name; to propose values use `proposes`.";
    MissingIdentifier "missing-identifier" UNPROCESSABLE_ENTITY, "It isn't said whose it is",
        "An event has neither `profile` nor anything in `identifiers`; or a look-up names no identifier.",
        "Add an identifier such as `\"identifiers\": {\"customer_id\": \"00042\"}`, or a profile's id.";
    TooManyIdentifiers "too-many-identifiers" UNPROCESSABLE_ENTITY, "More than one identifier",
        "A look-up finds one customer by one identifier. Two may be two customers', and nobody could say whom the answer is about.",
        "Send one of them alone: the detail names the strongest.";
    UnknownIdentifier "unknown-identifier" UNPROCESSABLE_ENTITY, "No such identifier",
        "The dictionary has no identifier of this name.",
        "Use one of `GET /v1/identifiers`, or define it with `PUT /v1/identifiers/{name}`.";
    IdentifierInvalid "identifier-invalid" UNPROCESSABLE_ENTITY, "The identifier's value can't be used",
        "It is empty, longer than 256 bytes, has control characters, or nothing is left of it when it is normalised.",
        "Send the value as the customer is known by, or leave the identifier out.";
    UnknownField "unknown-field" UNPROCESSABLE_ENTITY, "No such field",
        "The dictionary has no field of this name.",
        "Use one of `GET /v1/fields`, define it with `PUT /v1/fields/{name}`, or install the plug-in that brings it.";
    ValueNotAllowed "value-not-allowed" UNPROCESSABLE_ENTITY, "The field doesn't take this value",
        "The field has a list of values or a JSON Schema, and the value is not among them or doesn't match.",
        "Send a value as the detail describes it, or null to clear the field.";
    NothingProposed "nothing-proposed" UNPROCESSABLE_ENTITY, "Nothing is proposed",
        "`fields` is empty.",
        "Name at least one field.";
    ProposalRefused "proposal-refused" UNPROCESSABLE_ENTITY, "A source refused what was proposed",
        "The client waited for the decision, and the source of at least one field refused the value, or gave no answer for it. What was proposed for other fields counts: `event` tells of each.",
        "See `detail` and `event.fields` for each field's code and sentence; propose another value for those.";
    EventTimeAhead "event-time-ahead" UNPROCESSABLE_ENTITY, "The event's time lies ahead",
        "`at` is later than the host's clock by more than it tolerates (`event_ahead_hours`).",
        "Send when it happened, with its offset from UTC; look at the sender's clock.";
    EventTimeEarly "event-time-early" UNPROCESSABLE_ENTITY, "The event's time lies too far back",
        "`at` lies before the first day that the host takes events of (`event_earliest`, 1900-01-01 unless set).",
        "Look at how the sender writes the year: an empty date and a year of two digits become such times. Leave `at` out when it isn't known.";
    EventIdReused "event-id-reused" CONFLICT, "The event id was used for something else",
        "The same application sent this id before, with other content. The first one stays.",
        "Give the new event an id of its own.";
    EventIdForgotten "event-id-forgotten" CONFLICT, "The host may have forgotten the event id",
        "The request says by `Samsyn-Ids-Since` that it may have sent its ids before, and the host has forgotten ids of that time: it remembers `event_ids_max` of them, for `event_id_days` days. So it can't tell whether it has the event, and takes it neither twice nor at all.",
        "Find out what the host has of what was sent, and send the rest under ids of their own, without the header. An administrator can have more ids remembered from now on.";
    IdentifiersTooMany "identifiers-too-many" UNPROCESSABLE_ENTITY, "The customer has too many identifiers",
        "A profile takes 250 identifiers. One with more is mostly a value that many customers share, or a client that makes a new one at every visit.",
        "Look at how the sender makes this identifier. Leave it out, or send the event under another identifier of the customer.";
    UnknownProfile "unknown-profile" NOT_FOUND, "No such profile",
        "No customer has this id, or goes by this identifier.",
        "Look the customer up with `POST /v1/profiles/lookup`, or send an event with the identifier: that makes the profile.";
    ReferenceInvalid "reference-invalid" BAD_REQUEST, "Not a reference to a profile",
        "The path's `ref` is neither a profile id nor `identifier:value`.",
        "Write it as `customer_id:00042`, percent-encoded.";
    UnknownEvent "unknown-event" NOT_FOUND, "No such event",
        "This application sent no event of this id, or no event stands at this position, or it is no longer remembered.",
        "Check the id, and the application: events are told to the one that sent them, by their id and by their position such as `12-345`. Only a token that reads everything is told of others' events.";
    EventRemoved "event-removed" GONE, "The event's record is kept no longer",
        "The event was taken and decided, but the log's retention has removed its record since: what became of it in detail can't be told any more. Its effects stay.",
        "Ask sooner, or have the log kept longer (`[retention]`). The profile has what came of it; a backup has the record.";

    // The registry.
    UnknownToken "unknown-token" NOT_FOUND, "No such token",
        "No token has this name, or it is revoked already.",
        "See `GET /v1/tokens`.";
    TokenExists "token-exists" CONFLICT, "The token's name is taken",
        "A token that isn't revoked has this name.",
        "Revoke it first, or give the new one another name: two tokens may act for the same application.";
    LastAdminToken "last-admin-token" CONFLICT, "The last admin token",
        "Without an admin token that never expires nobody could make tokens any more.",
        "Make another admin token first, then revoke this one.";
    UnknownCapability "unknown-capability" NOT_FOUND, "No such capability",
        "No plug-in of this name is installed.",
        "See `GET /v1/capabilities`.";
    FieldNotFound "field-not-found" NOT_FOUND, "No such field at this address",
        "The dictionary has no field of the name in the path.",
        "See `GET /v1/fields`, or define it with `PUT /v1/fields/{name}`.";
    NotDeclared "not-declared" CONFLICT, "The capability doesn't source the field",
        "A field's source must declare it in its manifest.",
        "Declare the field under `[sources]` in plugin.toml, and install that version first.";
    StillSources "still-sources" CONFLICT, "The capability is still the source of fields",
        "Removing it would leave fields without a source.",
        "Give its fields to another capability with `POST /v1/assignments` first, then remove it.";
    PlanStale "plan-stale" CONFLICT, "The plan is out of date",
        "The registry changed after the plan was made, so that the plan may no longer be what would happen.",
        "Ask for the plan again with `?dry_run=true`, look at it, and send its `revision`.";
    FieldInUse "field-in-use" CONFLICT, "The field is in use",
        "An installed plug-in may make claims for the field or read it, so it can't be removed or renamed.",
        "Take that back with `samsyn plugin revoke`, or remove the plug-in; or deprecate the field instead.";
    StillSource "still-source" CONFLICT, "The capability is the field's source",
        "Its claims are the field's values, so its permission to make them can't be taken back.",
        "Assign the field to another capability or to none first.";
    NotRequested "not-requested" CONFLICT, "The plug-in doesn't ask for this",
        "A grant can give only what the installed manifest requests.",
        "Grant what the capability's `withheld` lists, or install a version that asks for more.";
    NothingPending "nothing-pending" CONFLICT, "No upgrade waits",
        "The capability has no upgrade that waits for approval, or another one than was named.",
        "See `pending` of `GET /v1/capabilities/{name}`.";
    NotQuarantined "not-quarantined" CONFLICT, "The capability isn't quarantined",
        "Only a quarantined capability can be released; this one is called as any other.",
        "See `state` of `GET /v1/capabilities/{name}`. What failed and waits is run again with `POST /v1/parked/retry`.";
    UnknownReplay "unknown-replay" NOT_FOUND, "No such replay",
        "No replay of this host has the id: it forgets them when it stops, and all but the last few.",
        "See `GET /v1/replays`, or start it again.";
    ReplayRunning "replay-running" CONFLICT, "A replay runs already",
        "A host replays one plug-in at a time, so that it has room for its own work.",
        "Wait for its end (`GET /v1/replays`), or stop it with `DELETE /v1/replays/{id}`.";
    FieldTypeConflict "field-type-conflict" CONFLICT, "Manifest and dictionary disagree",
        "The plug-in's manifest says something else of a field than the dictionary: its type, values, schema, unit, class, protection or what it identifies.",
        "Change the manifest, or the field with `PUT /v1/fields/{name}`.";
    DefinitionInvalid "definition-invalid" UNPROCESSABLE_ENTITY, "The definition can't be",
        "A field, setting, identifier or token was given what it can't have.",
        "Change what the detail names.";
    RegistryFileInvalid "registry-file-invalid" UNPROCESSABLE_ENTITY, "The registry file can't be applied",
        "It doesn't parse, names something twice or in a circle, or asks for what this registry can't become. Nothing was changed.",
        "Correct what stands at `place`; `GET /v1/registry/export` answers a file that fits.";
    ManifestInvalid "manifest-invalid" UNPROCESSABLE_ENTITY, "The manifest can't be taken",
        "The component's plugin.toml doesn't parse, or asks for something that can't be.",
        "Correct the line that the detail names and run `samsyn plugin build` again.";
    ComponentNotWasm "component.not-wasm" UNPROCESSABLE_ENTITY, "Not WebAssembly",
        "The file is neither a component nor a core module.",
        "Send the `.wasm` file that `samsyn plugin build` wrote.";
    ComponentNoManifest "component.no-manifest" UNPROCESSABLE_ENTITY, "No manifest in the component",
        "The custom section `samsyn:manifest` is missing.",
        "Build it with `samsyn plugin build`, which embeds plugin.toml.";
    ComponentNoRole "component.no-role" UNPROCESSABLE_ENTITY, "The component has no role",
        "It exports none of the contract's roles.",
        "Implement at least one of subscriber, source and observer.";
    ComponentUnknownRole "component.unknown-role" UNPROCESSABLE_ENTITY, "A role this host doesn't know",
        "It exports a role of the contract's package that this host can't call.",
        "Update the host, or build the plug-in without that role.";
    ComponentUnknownImport "component.unknown-import" UNPROCESSABLE_ENTITY, "An import this host doesn't offer",
        "A plug-in has effects, settings and logging and nothing else: no clock, network, files or randomness.",
        "Remove what needs the import; `samsyn plugin check` names it.";
    ComponentNewerContract "component.newer-contract" UNPROCESSABLE_ENTITY, "Another version of the contract",
        "The component was built for a version of samsyn:plugin that this host doesn't speak.",
        "Update the host, or build the plug-in with this host's SDK.";
    ComponentTooLarge "component.too-large" UNPROCESSABLE_ENTITY, "The component is over a limit",
        "The component, its manifest or what it needs at its start is larger than the limits allow.",
        "Make it smaller, or raise the limit that the detail names in the host's configuration.";
    ComponentInvalid "component.invalid" UNPROCESSABLE_ENTITY, "Not a valid component",
        "It is damaged, not well-formed, or its types are not the contract's.",
        "Build it again with `samsyn plugin build`.";
    ComponentCompileLimit "component.compile-limit" UNPROCESSABLE_ENTITY, "Compiling took too much",
        "The compiler reached its bound of time or memory.",
        "Make the component smaller, or raise `compile_time_ms` or `compile_memory_bytes`.";
    ComponentCompilerFailed "component.compiler-failed" UNPROCESSABLE_ENTITY, "The host's compiler failed at it",
        "The compiler ended with a fault of its own; neither time nor memory was spent.",
        "Build the component another way, such as with an older toolchain, and tell whoever maintains the host what the detail says.";
    ComponentNotKept "component.not-kept" SERVICE_UNAVAILABLE, "The component can't be kept",
        "It could not be written to the host's data directory, so nothing was installed.",
        "Make room on the disk or mend it, then install again.";
    ComponentCompilerUnavailable "component.compiler-unavailable" SERVICE_UNAVAILABLE, "The compiler can't be run",
        "The host could not start or read its own compiler.",
        "Check the host's disk and process limits, then install again.";
    PurposeInvalid "purpose-invalid" BAD_REQUEST, "Not a purpose",
        "The header `Samsyn-Purpose` is longer than 200 bytes, has control characters, or stands there twice.",
        "Send one short line, such as a ticket's number, or leave the header out.";
    AuditUnavailable "audit-unavailable" SERVICE_UNAVAILABLE retryable, "Reads of personal data can't be recorded",
        "Every read of personal data is on the disk before its answer leaves, and the directory `audit` can't be written or read now. Events are taken and decided all the same.",
        "Make room on the disk or mend it: the host tries again by itself. `samsyn status` says why; when the files are damaged (`samsyn log verify`) restore the directory, or keep it elsewhere and start the host with a new one.";
    FilterEmpty "filter-empty" UNPROCESSABLE_ENTITY, "The filter names nothing",
        "Retrying or skipping everything at once must be asked for by a filter.",
        "Give at least one of `capability`, `profile` and `kind`.";
}

impl Kind {
    /// The kind a component's error code stands for.
    pub fn of_component(code: &str) -> Kind {
        KINDS.iter().copied().find(|kind| kind.entry().code == code).unwrap_or(Kind::ComponentInvalid)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_stands_for_one_kind_and_is_an_anchor() {
        let codes: BTreeSet<&str> = KINDS.iter().map(|kind| kind.entry().code).collect();
        assert_eq!(codes.len(), KINDS.len());
        for kind in KINDS {
            let entry = kind.entry();
            let letters =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
            assert!(entry.code.bytes().all(letters), "{}", entry.code);
            assert!(entry.status.is_client_error() || entry.status.is_server_error(), "{}", entry.code);
            assert!(entry.cause.ends_with('.') && entry.mend.ends_with('.'), "{}", entry.code);
        }
    }
}

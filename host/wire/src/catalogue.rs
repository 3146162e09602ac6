//! Every problem the host can answer with: code, status, title, cause and how to fix it.
//!
//! The one list. `docs/errors.md` and `GET /errors` are written from it, and a problem can only
//! be made from one of these.

use http::StatusCode;

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
    pub fix: &'static str,
    /// Nothing is wrong with the request: the same may succeed in a while. Such an answer has
    /// `Retry-After`.
    pub retryable: bool,
}

macro_rules! catalogue {
    (@retryable) => { false };
    (@retryable retryable) => { true };
    ($($kind:ident $code:literal $status:ident $($retryable:ident)?, $title:literal, $cause:literal, $fix:literal;)*) => {
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
                        fix: $fix,
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
        "The request has no `Authorization: Bearer` header, or its token is mistyped, unknown, revoked or expired.",
        "Send a valid token. An administrator creates one with `samsyn token create`. The host printed the first admin token on its first start.";
    ScopeMissing "scope-missing" FORBIDDEN, "The token has no permission for this",
        "The token is valid, but it has no scope for this call, or its scope doesn't include the field or event that the detail names.",
        "Use a token with the scope that the detail names. An administrator creates one with `samsyn token create --scope`.";
    ApplicationForbidden "application-forbidden" FORBIDDEN, "The token acts for another application",
        "A token is bound to one application, and `Samsyn-Application` names another. Only an admin token may act for others.",
        "Leave the header out, or use that application's own token.";
    RateLimited "rate-limited" TOO_MANY_REQUESTS retryable, "Too many requests by this token",
        "The token made more requests, or sent more events, than its rate allows.",
        "Wait for the seconds in `Retry-After`. Send events in lists. An administrator can create a token with another rate.";
    ApplicationInvalid "application-invalid" BAD_REQUEST, "Invalid application name",
        "The header `Samsyn-Application` has no valid name, such as `web` or `pos-sync`.",
        "Use lower-case letters and digits in parts joined by hyphens, at most 64 bytes.";
    NotFound "not-found" NOT_FOUND, "No such call",
        "The API has no such path.",
        "Compare the path with docs/http.md. Every call starts with `/v1/`, except health, errors and `/metrics`.";
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED, "Method not allowed",
        "The path exists, but not for this method.",
        "Use a method from the answer's `Allow` header.";
    UnknownContentType "unknown-content-type" UNSUPPORTED_MEDIA_TYPE, "Unsupported body type",
        "`Content-Type` is missing, or the call doesn't support it.",
        "Send the type that the detail names.";
    UnknownEncoding "unknown-encoding" UNSUPPORTED_MEDIA_TYPE, "Unknown body encoding",
        "`Content-Encoding` is not `gzip` or `identity`, or it has more than one value.",
        "Send the body uncompressed, or with gzip.";
    BadGzip "bad-gzip" BAD_REQUEST, "The body is not valid gzip",
        "The header is `Content-Encoding: gzip`, but decompressing the body failed.",
        "Compress the body, or leave the header out.";
    BodyTooLarge "body-too-large" PAYLOAD_TOO_LARGE, "The body is too large",
        "The body has more bytes than the call allows, after decompression.",
        "Send smaller parts: the limit is 500 KiB for JSON, 64 KiB for a secret and 32 MiB for a component.";
    BodyIncomplete "body-incomplete" BAD_REQUEST, "Incomplete body",
        "The connection ended before the host had the whole body.",
        "Send the request again. The host accepts an event with an `id` only once.";
    SlowBody "slow-body" REQUEST_TIMEOUT, "The body took too long",
        "The host didn't get the whole body within the time limit.",
        "Send smaller batches, or use a better connection.";
    QueryInvalid "query-invalid" BAD_REQUEST, "Invalid query parameter",
        "The call has no such parameter, the parameter is there twice, or its value is invalid. The host ignores what caches and links add (`_`, `utm_…`, `gclid` and similar); anything else could be a typing error.",
        "Correct the parameter that the detail names.";
    CursorInvalid "cursor-invalid" BAD_REQUEST, "Invalid cursor",
        "`cursor` is not the `next` of an earlier answer of the same list.",
        "Start again without `cursor`, and use each `next` unchanged.";
    PreconditionInvalid "precondition-invalid" BAD_REQUEST, "Invalid precondition",
        "`If-Match` has no strong ETag, or more than one.",
        "Send the profile's `ETag` unchanged, with its quotes, or `*`.";
    PreconditionFailed "precondition-failed" PRECONDITION_FAILED, "The customer has changed",
        "When the host decided the proposal, the customer's visible values no longer matched the ETag in `If-Match`. Nothing was proposed to a source.",
        "Read the profile again, and send the proposal with the new `ETag` if it still makes sense.";
    HostInvalid "host-invalid" BAD_REQUEST, "Invalid `Host` header",
        "An HTTP/1.1 request must have exactly one `Host` header (RFC 9112, section 3.2). It is missing, there twice, or not a host name.",
        "Let an HTTP library write the header. Behind a proxy, check that the proxy passes it on.";
    TooManyRequests "too-many-requests" TOO_MANY_REQUESTS retryable, "Too many requests at once",
        "This client has more requests under way than one client is allowed.",
        "Wait for answers before you send more, at least for the seconds in `Retry-After`.";
    Busy "busy" SERVICE_UNAVAILABLE retryable, "The host is busy",
        "The host's queue is full, or too many requests are under way. The request itself is valid.",
        "Send the same request again after the seconds in `Retry-After`. The host accepts an event with an `id` only once.";
    LogFailed "log-failed" SERVICE_UNAVAILABLE retryable, "The host can't write its log",
        "A write or sync failed, so the host accepts nothing more. Everything it acknowledged before is safe.",
        "Find the disk's error in the host's own log, fix it and start the host again. Then send the request again.";
    ViewFailed "view-failed" SERVICE_UNAVAILABLE retryable, "The host can't write its view",
        "The host can't read or write its view of the log, so it accepts nothing more. Everything it acknowledged is safe in the log.",
        "Find the disk's error with `samsyn status` and in the host's own log, fix it and start the host again. The host then updates or rebuilds the view.";
    LogUnreadable "log-unreadable" INTERNAL_SERVER_ERROR, "The log can't be read",
        "The disk reports an error, or a record doesn't match its checksums. The host never answers with such a record.",
        "Run `samsyn log verify` on the host's machine: it names the damaged place. Then restore a backup, or see `samsyn log repair --dry-run`.";
    NotReady "not-ready" SERVICE_UNAVAILABLE retryable, "The host is not ready",
        "The host is starting or stopping, or its log failed.",
        "Try again later. The detail says what the host waits for.";
    Internal "internal" INTERNAL_SERVER_ERROR, "Internal error",
        "The host met an error that should never happen.",
        "Send the request again. If the error stays, report it with the time and the host's log.";

    // JSON.
    NotUtf8 "not-utf8" BAD_REQUEST, "The body is not UTF-8",
        "The body has bytes that are not UTF-8.",
        "Encode the text as UTF-8. The detail names the first invalid byte.";
    MalformedJson "malformed-json" BAD_REQUEST, "Invalid JSON",
        "The body is not valid JSON (RFC 8259): a comma or quote is missing, a number such as NaN is not allowed, or the text ends early.",
        "Correct the text at the line and column in the detail, or write it with a JSON library.";
    TooDeep "too-deep" UNPROCESSABLE_ENTITY, "Nested too deeply",
        "Lists and objects are nested more than 32 levels deep.",
        "Send flatter data.";
    WrongType "wrong-type" UNPROCESSABLE_ENTITY, "Wrong type",
        "The value at `place` has the wrong type, or the conversion would lose information.",
        "Send the type that the detail names.";
    UnknownKey "unknown-key" UNPROCESSABLE_ENTITY, "Unknown key",
        "An object has an unknown member, most often because of a typing error.",
        "Correct or remove the key. The detail names the known keys.";
    DuplicateKey "duplicate-key" UNPROCESSABLE_ENTITY, "Duplicate key",
        "An object has the same member twice, so its meaning is not clear.",
        "Send the member once.";
    MissingKey "missing-key" UNPROCESSABLE_ENTITY, "Missing key",
        "The object has no such member, and it is required.",
        "Add the member that the detail names.";
    NameInvalid "name-invalid" UNPROCESSABLE_ENTITY, "Invalid name",
        "The name has characters that are not allowed, or is too long.",
        "Write the name as the detail says.";
    ControlCharacters "control-characters" UNPROCESSABLE_ENTITY, "Control characters in a string",
        "A string has a control character such as NUL or escape; only line feed and tab are allowed. A carriage return at a line's end and NULs at a string's end are removed: see docs/http.md.",
        "Remove the control characters before you send. End a line with a line feed alone.";

    // Events.
    EventTooLarge "event-too-large" PAYLOAD_TOO_LARGE, "The event is too large",
        "One event has more than 32 KiB of JSON.",
        "Send only what the capabilities need, and a reference to the rest.";
    TooManyEvents "too-many-events" PAYLOAD_TOO_LARGE, "Too many events in one request",
        "The list has more than 2,500 events. The host accepted none of them.",
        "Send several lists.";
    ReservedName "reserved-name" UNPROCESSABLE_ENTITY, "Reserved name",
        "Only the host makes events whose names start with `samsyn.`.",
        "Choose another name. To propose values use `proposes`.";
    MissingIdentifier "missing-identifier" UNPROCESSABLE_ENTITY, "Missing identifier",
        "The event has neither `profile` nor an identifier in `identifiers`, or the look-up has no identifier.",
        "Add an identifier such as `\"identifiers\": {\"customer_id\": \"00042\"}`, or a profile's id.";
    TooManyIdentifiers "too-many-identifiers" UNPROCESSABLE_ENTITY, "More than one identifier",
        "A look-up finds one customer by one identifier. Two identifiers may belong to two customers.",
        "Send only one of them. The detail names the strongest.";
    UnknownIdentifier "unknown-identifier" UNPROCESSABLE_ENTITY, "No such identifier",
        "The dictionary has no identifier of this name.",
        "Use an identifier of `GET /v1/identifiers`, or define it with `PUT /v1/identifiers/{name}`.";
    IdentifierInvalid "identifier-invalid" UNPROCESSABLE_ENTITY, "Invalid identifier value",
        "The value is empty, longer than 256 bytes, has control characters, or is empty in its normal form.",
        "Send a valid value, or leave the identifier out.";
    UnknownField "unknown-field" UNPROCESSABLE_ENTITY, "No such field",
        "The dictionary has no field of this name.",
        "Use a field of `GET /v1/fields`, define the field with `PUT /v1/fields/{name}`, or install the plug-in that adds it.";
    ValueNotAllowed "value-not-allowed" UNPROCESSABLE_ENTITY, "Value not allowed",
        "The value is not in the field's list of values, or doesn't match its JSON Schema.",
        "Send an allowed value, as the detail describes it, or null to clear the field.";
    NothingProposed "nothing-proposed" UNPROCESSABLE_ENTITY, "Nothing is proposed",
        "`fields` is empty.",
        "Name at least one field.";
    ProposalRefused "proposal-refused" UNPROCESSABLE_ENTITY, "A source rejected the proposal",
        "The client waited for the decision. The source of at least one field rejected the value, or gave no answer for it. Accepted values of other fields count: see `event`.",
        "See `detail` and `event.fields` for each field's code and reason. Propose another value for these fields.";
    EventTimeAhead "event-time-ahead" UNPROCESSABLE_ENTITY, "The event's time is in the future",
        "`at` is later than the host's clock by more than `event_ahead_hours` allows.",
        "Send the time of the event, with its offset from UTC, and check the sender's clock.";
    EventTimeEarly "event-time-early" UNPROCESSABLE_ENTITY, "The event's time is too early",
        "`at` is before the first day that the host accepts (`event_earliest`, 1900-01-01 by default).",
        "Check how the sender writes the year: an empty date or a two-digit year becomes such a time. If the time is not known, leave `at` out.";
    EventIdReused "event-id-reused" CONFLICT, "The event id was used before",
        "The same application sent this id before, with different content. The first event stays.",
        "Give the new event a new id.";
    EventIdForgotten "event-id-forgotten" CONFLICT, "The host may have forgotten the event id",
        "With `Samsyn-Ids-Since` the client says that it may have sent these ids before, and the host has forgotten ids of that time: it remembers `event_ids_max` ids, for `event_id_days` days. The host can't know whether it has the event, so it rejects it.",
        "Find out which events the host has, and send the others with new ids, without the header. An administrator can raise `event_ids_max` for the future.";
    IdentifiersTooMany "identifiers-too-many" UNPROCESSABLE_ENTITY, "The customer has too many identifiers",
        "A profile can have 250 identifiers. Usually many customers share the value, or a client makes a new identifier at every visit.",
        "Check how the sender makes this identifier. Leave it out, or send the event with another identifier of the customer.";
    UnknownProfile "unknown-profile" NOT_FOUND, "No such profile",
        "No customer has this id or this identifier.",
        "Look up the customer with `POST /v1/profiles/lookup`, or send an event with the identifier: that creates the profile.";
    ReferenceInvalid "reference-invalid" BAD_REQUEST, "Invalid reference to a profile",
        "The path's `ref` is neither a profile id nor `identifier:value`.",
        "Write it as `customer_id:00042`, percent-encoded.";
    UnknownEvent "unknown-event" NOT_FOUND, "No such event",
        "This application sent no event with this id, there is no event at this position, or the host no longer remembers the id.",
        "Check the id and the application. The host shows an event to the application that sent it, by id or by position such as `12-345`. Only a token that reads everything sees other applications' events.";
    EventRemoved "event-removed" GONE, "The event's record was removed",
        "The host accepted and decided the event. Retention removed its record from the log, so its details are no longer known. Its effects stay.",
        "Ask earlier, or keep the log longer (`[retention]`). The profile has the event's effects; a backup has the record.";

    // The registry.
    UnknownToken "unknown-token" NOT_FOUND, "No such token",
        "No token has this name, or the token is already revoked.",
        "See `GET /v1/tokens`.";
    TokenExists "token-exists" CONFLICT, "The token exists already",
        "A token that isn't revoked has this name.",
        "Revoke that token first, or choose another name. Two tokens may act for the same application.";
    LastAdminToken "last-admin-token" CONFLICT, "The last admin token",
        "Without an admin token that never expires, nobody could create tokens.",
        "Create another admin token first, then revoke this one.";
    UnknownSecret "unknown-secret" NOT_FOUND, "No such secret",
        "No secret has this name.",
        "See `GET /v1/secrets`, or set it with `samsyn secret set NAME --file FILE`.";
    SecretInvalid "secret-invalid" UNPROCESSABLE_ENTITY, "Invalid secret",
        "The value is empty or too long, is not UTF-8, has a control character, or has white space around it, such as the line feed that editors and `echo` write. Or its name is invalid. The answer never repeats the value.",
        "Send the value alone, for example from a file that `printf %s` wrote. `samsyn secret set --trim` removes white space around it.";
    SecretConflict "secret-conflict" CONFLICT, "The secret is in another state",
        "For example it has a value already, it is being rotated, it is a mounted file, or something uses it.",
        "See `samsyn secret list`: it shows each secret's versions, state and uses.";
    SecretKeyUnusable "secret-key-unusable" CONFLICT, "The host has no sealing key",
        "The host seals values on its disk, and has no usable key for it: none is configured, or the file is missing, invalid or readable by others.",
        "Give the host a key as docs/admin.md describes under \"Secrets\", and start it again.";
    SecretNotKept "secret-not-kept" SERVICE_UNAVAILABLE retryable, "The value can't be written",
        "The disk did not take the sealed value, so nothing was changed.",
        "Find the disk's error in the detail, fix it, and send the request again.";
    UnknownCapability "unknown-capability" NOT_FOUND, "No such capability",
        "No capability has this name.",
        "See `GET /v1/capabilities`.";
    FieldNotFound "field-not-found" NOT_FOUND, "No such field in the path",
        "The dictionary has no field of the name in the path.",
        "See `GET /v1/fields`, or define the field with `PUT /v1/fields/{name}`.";
    NotDeclared "not-declared" CONFLICT, "The field is not declared",
        "A field's source must declare it in its manifest.",
        "Declare the field under `[sources]` in plugin.toml, and install that version.";
    StillSources "still-sources" CONFLICT, "The capability is still the source of fields",
        "Without this capability some fields would have no source.",
        "First assign its fields to another capability with `POST /v1/assignments`, then remove it.";
    PlanStale "plan-stale" CONFLICT, "The plan is out of date",
        "The registry changed after the plan was made, so the result may differ from the plan.",
        "Request the plan again with `?dry_run=true`, check it, and send its `revision`.";
    FieldInUse "field-in-use" CONFLICT, "The field is in use",
        "A capability may make claims for the field or read it, so you can't remove or rename the field.",
        "Revoke that grant with `samsyn plugin revoke`, or remove the capability. Or deprecate the field.";
    StillSource "still-source" CONFLICT, "The capability is the field's source",
        "Its claims are the field's values, so you can't revoke its permission to make them.",
        "First assign the field to another capability or to none.";
    NotRequested "not-requested" CONFLICT, "Not requested by the plug-in",
        "You can grant only what the installed manifest requests.",
        "Grant what the capability's `withheld` lists, or install a version that requests more.";
    UnknownEndpoint "unknown-endpoint" NOT_FOUND, "No such endpoint",
        "The capability's manifest requests no endpoint of this name.",
        "See `GET /v1/endpoints`.";
    EndpointInvalid "endpoint-invalid" UNPROCESSABLE_ENTITY, "The endpoint can't be bound so",
        "The address, a method, the authentication or a limit is not allowed for this endpoint.",
        "Change what the detail names. `dry_run=true` checks a binding and changes nothing.";
    CallNotFound "call-not-found" NOT_FOUND, "No such call to a system",
        "No call with this id waits for its answer, or ended badly. One that was settled, or answered well, is no longer listed.",
        "List calls with `GET /v1/calls`, or see the customer's timeline.";
    CallWaits "call-waits" CONFLICT, "The call waits for its answer",
        "Only a call that ended badly can be sent again or settled.",
        "Wait for its answer. `GET /v1/calls/{id}` says when it is tried next, and why nothing is sent.";
    EndpointNotBound "endpoint-not-bound" CONFLICT, "The endpoint isn't bound",
        "Only a bound endpoint can be paused and resumed.",
        "Bind it with `PUT /v1/endpoints/{capability}/{name}`, or `samsyn endpoint bind`.";
    EndpointRevoked "endpoint-revoked" CONFLICT, "The endpoint is revoked",
        "An administrator revoked the endpoint, so it can't be bound.",
        "Grant it again with `PATCH /v1/capabilities/{name}/grant`, or `samsyn plugin grant CAPABILITY --endpoint NAME`.";
    NothingPending "nothing-pending" CONFLICT, "No upgrade waits for approval",
        "The capability has no upgrade that waits for approval, or the waiting component differs from the given one.",
        "See `pending` of `GET /v1/capabilities/{name}`.";
    NotQuarantined "not-quarantined" CONFLICT, "The capability isn't quarantined",
        "You can release only a quarantined capability; this one is active.",
        "See `state` of `GET /v1/capabilities/{name}`. To retry parked invocations use `POST /v1/parked/retry`.";
    UnknownReplay "unknown-replay" NOT_FOUND, "No such replay",
        "No replay has this id. The host keeps only the last few replays, and none after it stops.",
        "See `GET /v1/replays`, or start the replay again.";
    ReplayRunning "replay-running" CONFLICT, "A replay is running",
        "The host runs one replay at a time, so that its own work goes on.",
        "Wait until it ends (`GET /v1/replays`), or stop it with `DELETE /v1/replays/{id}`.";
    FieldTypeConflict "field-type-conflict" CONFLICT, "The manifest differs from the dictionary",
        "The plug-in's manifest and the dictionary differ about a field: its type, values, schema, unit, class, protection or identifier.",
        "Change the manifest, or the field with `PUT /v1/fields/{name}`.";
    DefinitionInvalid "definition-invalid" UNPROCESSABLE_ENTITY, "Invalid definition",
        "A field, setting, identifier or token has an invalid member.",
        "Change what the detail names.";
    RegistryFileInvalid "registry-file-invalid" UNPROCESSABLE_ENTITY, "Invalid registry file",
        "The file doesn't parse, has something twice or in a cycle, or requests a change that is not possible. Nothing was changed.",
        "Correct the file at `place`. `GET /v1/registry/export` answers a valid file.";
    ManifestInvalid "manifest-invalid" UNPROCESSABLE_ENTITY, "Invalid manifest",
        "The component's plugin.toml doesn't parse, or has an invalid entry.",
        "Correct the line that the detail names, and run `samsyn plugin build` again.";
    ComponentNotWasm "component.not-wasm" UNPROCESSABLE_ENTITY, "Not WebAssembly",
        "The file is neither a component nor a core module.",
        "Send the `.wasm` file that `samsyn plugin build` wrote.";
    ComponentNoManifest "component.no-manifest" UNPROCESSABLE_ENTITY, "No manifest in the component",
        "The custom section `samsyn:manifest` is missing.",
        "Build it with `samsyn plugin build`, which embeds plugin.toml.";
    ComponentNoRole "component.no-role" UNPROCESSABLE_ENTITY, "The component has no role",
        "The component exports no role of the contract.",
        "Implement at least one of subscriber, source and observer.";
    ComponentUnknownRole "component.unknown-role" UNPROCESSABLE_ENTITY, "Unknown role",
        "The component exports a role of the contract that this host doesn't support.",
        "Update the host, or build the plug-in without that role.";
    ComponentUnknownImport "component.unknown-import" UNPROCESSABLE_ENTITY, "Unknown import",
        "The component imports something that plug-ins don't have. They have effects, settings and logging, but no clock, network, files or randomness.",
        "Remove the code that needs the import. `samsyn plugin check` names it.";
    ComponentNewerContract "component.newer-contract" UNPROCESSABLE_ENTITY, "Another version of the contract",
        "The component was built for a version of samsyn:plugin that this host doesn't support.",
        "Update the host, or build the plug-in with this host's SDK.";
    ComponentTooLarge "component.too-large" UNPROCESSABLE_ENTITY, "The component is over a limit",
        "The component, its manifest, or the memory it needs at its start is over a limit.",
        "Make it smaller, or raise the limit that the detail names, in the host's configuration.";
    ComponentInvalid "component.invalid" UNPROCESSABLE_ENTITY, "Invalid component",
        "The component is damaged or invalid, or its types differ from the contract.",
        "Build it again with `samsyn plugin build`.";
    ComponentCompileLimit "component.compile-limit" UNPROCESSABLE_ENTITY, "Compile limit exceeded",
        "The compiler reached its limit of time or memory.",
        "Make the component smaller, or raise `compile_time_ms` or `compile_memory_bytes`.";
    ComponentCompilerFailed "component.compiler-failed" UNPROCESSABLE_ENTITY, "The compiler failed",
        "The compiler ended with an internal error, within its limits of time and memory.",
        "Build the component with another toolchain, for example an older one, and report the detail to the host's maintainers.";
    ComponentNotKept "component.not-kept" SERVICE_UNAVAILABLE, "The component can't be stored",
        "The host could not write the component to its data directory. Nothing was installed.",
        "Free space on the disk or repair it, then install again.";
    ComponentCompilerUnavailable "component.compiler-unavailable" SERVICE_UNAVAILABLE, "The compiler can't run",
        "The host could not start its compiler or read its output.",
        "Check the host's disk and process limits, then install again.";
    PurposeInvalid "purpose-invalid" BAD_REQUEST, "Invalid purpose",
        "The header `Samsyn-Purpose` is longer than 200 bytes, has control characters, or is there twice.",
        "Send one short line, such as a ticket number, or leave the header out.";
    AuditUnavailable "audit-unavailable" SERVICE_UNAVAILABLE retryable, "Reads of personal data can't be recorded",
        "The host records every read of personal data before it sends the answer, and it can't read or write the directory `audit` now. It still accepts and decides events.",
        "Free space on the disk or repair it; the host tries again by itself. `samsyn status` shows the cause. If the files are damaged (`samsyn log verify`), restore the directory, or move it away and start the host with a new one.";
    FilterEmpty "filter-empty" UNPROCESSABLE_ENTITY, "Empty filter",
        "To retry or skip parked invocations, the request needs a filter.",
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
            assert!(entry.cause.ends_with('.') && entry.fix.ends_with('.'), "{}", entry.code);
        }
    }
}

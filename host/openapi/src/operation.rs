//! What one call is, written down for OpenAPI: the words a description is made of.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use samsyn_wire::Problem;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::header::{self, Header};
use samsyn_wire::media::PROBLEM_JSON;
use samsyn_wire::schemas::Schemas;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::scopes::RequiredScopes;

/// The users of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Developers of applications that send events and read profiles.
    AppDeveloper,
    /// Administrators of fields, sources and plug-ins.
    Admin,
    /// Operators, who keep the host running.
    Operator,
}

impl Tag {
    /// All of them, with what they stand for.
    pub const ALL: [(Tag, &str); 3] = [
        (Tag::AppDeveloper, "Send events, read profiles, propose values"),
        (Tag::Admin, "Manage fields, sources, plug-ins and tokens, and decide about invocations that wait"),
        (Tag::Operator, "Watch and maintain the host"),
    ];

    /// Its name in the document.
    pub fn name(self) -> &'static str {
        match self {
            Tag::AppDeveloper => "app developer",
            Tag::Admin => "admin",
            Tag::Operator => "operator",
        }
    }
}

/// Problems of every call behind the token.
const OF_TOKENS: [Kind; 5] = [
    Kind::Unauthorized,
    Kind::ScopeMissing,
    Kind::ApplicationInvalid,
    Kind::ApplicationForbidden,
    Kind::RateLimited,
];
/// Problems of every call that is admitted.
const OF_LOAD: [Kind; 6] = [
    Kind::TooManyRequests,
    Kind::Busy,
    Kind::NotReady,
    Kind::ViewFailed,
    Kind::LogUnreadable,
    Kind::Internal,
];
/// Problems of every body.
const OF_BODIES: [Kind; 6] = [
    Kind::UnknownContentType,
    Kind::UnknownEncoding,
    Kind::BadGzip,
    Kind::BodyTooLarge,
    Kind::BodyIncomplete,
    Kind::SlowBody,
];
/// Problems of every body that is JSON.
const OF_JSON: [Kind; 6] = [
    Kind::NotUtf8,
    Kind::MalformedJson,
    Kind::WrongType,
    Kind::UnknownKey,
    Kind::DuplicateKey,
    Kind::MissingKey,
];

/// A call while it is described.
pub struct Operation<'a> {
    schemas: &'a mut Schemas,
    path: &'static str,
    scopes: RequiredScopes,
    members: Map<String, Value>,
    parameters: Vec<Value>,
    /// Names that parameters of the query had before, and are still taken by.
    older_names: Vec<&'static str>,
    answers: BTreeMap<u16, Value>,
    problems: Vec<Kind>,
}

/// Whether a path is answered also when there is no room.
pub fn is_always_answered(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// How a call is described: from what is known of it to all that can be said.
pub type Describe = for<'a> fn(Operation<'a>) -> Operation<'a>;

impl<'a> Operation<'a> {
    /// A call of which only its place is known.
    pub fn new(schemas: &'a mut Schemas, path: &'static str, scopes: RequiredScopes) -> Operation<'a> {
        let call = Operation {
            schemas,
            path,
            scopes,
            members: Map::new(),
            parameters: Vec::new(),
            older_names: Vec::new(),
            answers: BTreeMap::new(),
            problems: Vec::new(),
        };
        let call = match scopes {
            RequiredScopes::NoToken => call,
            RequiredScopes::OneOf(_) => {
                call.problems(&OF_TOKENS).problems(&[Kind::QueryInvalid]).takes(header::APPLICATION)
            }
        };
        let call = if path.contains('{') { call.problems(&[Kind::NotFound]) } else { call };
        let call = call.problems(&[Kind::HostInvalid]);
        let loads = if is_always_answered(path) { &OF_LOAD[2..] } else { &OF_LOAD[..] };
        call.problems(loads)
    }

    /// Its name in generated clients, its users, and what it does in a few words.
    pub fn is(mut self, id: &'static str, tag: Tag, summary: &'static str) -> Self {
        self.members.insert("operationId".to_owned(), id.into());
        self.members.insert("tags".to_owned(), json!([tag.name()]));
        self.members.insert("summary".to_owned(), summary.into());
        self
    }

    /// What else there is to know.
    pub fn details(mut self, details: &'static str) -> Self {
        self.members.insert("description".to_owned(), details.into());
        self
    }

    /// The variable of its path.
    pub fn path<T: JsonSchema>(mut self, name: &'static str, description: &str, example: &str) -> Self {
        debug_assert!(self.path.contains(&format!("{{{name}}}")), "{} has no {name}", self.path);
        let schema = self.schemas.read::<T>();
        self.parameters.push(json!({
            "name": name, "in": "path", "required": true, "description": description,
            "schema": schema, "example": example,
        }));
        self
    }

    /// A query that is read as `T`; its members' documentation says what they do.
    pub fn query<T: JsonSchema>(mut self) -> Self {
        for (name, mut schema, required) in self.schemas.query::<T>() {
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            let example = schema.as_object_mut().and_then(|schema| schema.remove("example"));
            let mut parameter =
                json!({ "name": name, "in": "query", "required": required, "schema": schema });
            for (key, value) in [("description", description), ("example", example)] {
                if let Some(value) = value {
                    parameter[key] = value;
                }
            }
            self.parameters.push(parameter);
        }
        self.problems(&[Kind::QueryInvalid])
    }

    /// A name that a parameter of the query had before, and is still taken by.
    pub fn older_name(mut self, name: &'static str) -> Self {
        self.older_names.push(name);
        self
    }

    /// The names of the parameters that the query may hold.
    pub fn query_names(&self) -> BTreeSet<String> {
        let query = self.parameters.iter().filter(|parameter| parameter["in"] == "query");
        let names = query.filter_map(|parameter| parameter["name"].as_str());
        names.chain(self.older_names.iter().copied()).map(str::to_owned).collect()
    }

    /// A header that may be sent.
    pub fn takes(mut self, header: Header) -> Self {
        self.parameters.push(json!({
            "name": header.name, "in": "header", "required": false, "description": header.description,
            "schema": header.schema(), "example": header.example,
        }));
        self
    }

    /// A JSON body of these types that is read as `T`, with examples by name.
    pub fn json<T: JsonSchema>(mut self, types: &[&str], examples: &[(&str, Value)]) -> Self {
        let schema = self.schemas.read::<T>();
        let examples: Map<String, Value> =
            examples.iter().map(|(name, value)| ((*name).to_owned(), json!({ "value": value }))).collect();
        let content: Map<String, Value> = types
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "schema": schema, "examples": examples })))
            .collect();
        self.members.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
        self.problems(&OF_BODIES).problems(&OF_JSON)
    }

    /// A body of bytes.
    pub fn bytes(mut self, media_type: &str, description: &str) -> Self {
        let body = json!({ "required": true, "description": description, "content": { media_type: { "schema": {} } } });
        self.members.insert("requestBody".to_owned(), body);
        self.problems(&OF_BODIES)
    }

    /// An answer of JSON that is written as `T`, with an example.
    pub fn answers<T: JsonSchema>(self, status: StatusCode, description: &str, example: Value) -> Self {
        self.answers_any::<T>(status, description, &[("", example)])
    }

    /// An answer of JSON that is written as `T`, with examples by name.
    pub fn answers_any<T: JsonSchema>(
        mut self,
        status: StatusCode,
        description: &str,
        examples: &[(&str, Value)],
    ) -> Self {
        let mut content = json!({ "schema": self.schemas.written::<T>() });
        match examples {
            [("", only)] => content["example"] = only.clone(),
            several => {
                let named =
                    several.iter().map(|(name, value)| ((*name).to_owned(), json!({ "value": value })));
                content["examples"] = named.collect::<Map<_, _>>().into();
            }
        }
        let answer = json!({ "description": description, "content": { "application/json": content } });
        self.answers.insert(status.as_u16(), answer);
        self
    }

    /// An answer of text.
    pub fn answers_text(mut self, media_types: &[&str], description: &str) -> Self {
        let content: Map<String, Value> = media_types
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "schema": { "type": "string" } })))
            .collect();
        let answer = json!({ "description": description, "content": content });
        self.answers.insert(StatusCode::OK.as_u16(), answer);
        self
    }

    /// The answer with status 200, which was described before, as text of these types too.
    pub fn or_text(mut self, media_types: &[&str]) -> Self {
        let answer = self.answers.entry(StatusCode::OK.as_u16()).or_insert_with(|| json!({}));
        for name in media_types {
            answer["content"][*name] = json!({ "schema": { "type": "string" } });
        }
        self
    }

    /// An answer without a body.
    pub fn answers_nothing(mut self, status: StatusCode, description: &str) -> Self {
        self.answers.insert(status.as_u16(), json!({ "description": description }));
        self
    }

    /// A header of the answer with this status, which was described before.
    pub fn with(mut self, status: StatusCode, header: Header) -> Self {
        let answer = self.answers.entry(status.as_u16()).or_insert_with(|| json!({}));
        answer["headers"][header.name] = header.answered();
        self
    }

    /// Where an answer leads: the parameters of another call, as runtime expressions.
    pub fn leads(mut self, status: StatusCode, to: &str, parameter: &str, from: &str) -> Self {
        let answer = self.answers.entry(status.as_u16()).or_insert_with(|| json!({}));
        answer["links"][to] = json!({ "operationId": to, "parameters": { parameter: from } });
        self
    }

    /// What can go wrong, besides what can with every such call.
    pub fn problems(mut self, kinds: &[Kind]) -> Self {
        let new = kinds.iter().filter(|kind| !self.problems.contains(kind));
        let new: Vec<Kind> = new.copied().collect();
        self.problems.extend(new);
        self
    }

    /// The operation object.
    pub fn finish(mut self) -> Value {
        let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
        for kind in &self.problems {
            by_status.entry(kind.entry().status.as_u16()).or_default().push(*kind);
        }
        self.schemas.written::<Problem<'_>>();
        for (status, kinds) in by_status {
            self.add_problems(status, &kinds);
        }
        let responses = self.answers.into_iter().map(|(status, answer)| (status.to_string(), answer));
        self.members.insert("responses".to_owned(), responses.collect::<Map<_, _>>().into());
        if !self.parameters.is_empty() {
            self.members.insert("parameters".to_owned(), self.parameters.into());
        }
        match self.scopes {
            RequiredScopes::NoToken => {
                self.members.insert("security".to_owned(), json!([]));
            }
            // OpenAPI has scopes for OAuth alone, so they are said in a member of our own.
            RequiredScopes::OneOf(scopes) => {
                let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
                self.members.insert("x-samsyn-scopes".to_owned(), json!(names));
            }
        }
        self.members.into()
    }

    /// Problems beside what else a status may answer: a list of which no event could be taken is a
    /// 422 with a body of its own.
    fn add_problems(&mut self, status: u16, kinds: &[Kind]) {
        let codes: Vec<&str> = kinds.iter().map(|kind| kind.entry().code).collect();
        let examples: Map<String, Value> = codes
            .iter()
            .map(|code| ((*code).to_owned(), json!({ "$ref": format!("#/components/examples/{code}") })))
            .collect();
        // One type for all of them: which codes there are is said by the examples.
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let titles: Vec<&str> = kinds.iter().map(|kind| kind.entry().title).collect();
        let answer = self.answers.entry(status).or_insert_with(|| json!({ "description": "" }));
        let said = answer["description"].as_str().unwrap_or_default();
        let description = if said.is_empty() {
            titles.join(", or ")
        } else {
            format!("{said}; or {}", titles.join(", or "))
        };
        answer["description"] = description.into();
        answer["content"][PROBLEM_JSON] = json!({ "schema": schema, "examples": examples });
        if status == StatusCode::UNAUTHORIZED.as_u16() {
            answer["headers"][header::WWW_AUTHENTICATE.name] = header::WWW_AUTHENTICATE.answered();
        }
        if kinds.iter().any(|kind| kind.entry().retryable) {
            answer["headers"][header::RETRY_AFTER.name] = header::RETRY_AFTER.answered();
        }
    }
}

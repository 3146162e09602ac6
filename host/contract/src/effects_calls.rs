//! What a handler asks for of a call: begun, and then added to part by part.

use crate::calls::{
    BadPlace, HEADERS_BYTES_MAX, HEADERS_MAX, Method, Rows, below_base, check_header, check_query,
};
use crate::effects::{Answer, Effects, LimitSpent, Refused, shorten};
use crate::refusal::RefusalCode;
use crate::vocabulary::{Effect, EndpointName, Finding, NewBody, NewCall};

/// Every effect of the interface `calls`, as the log names it, in the contract's order.
pub const CALL_FUNCTIONS: [&str; 6] = ["begin", "query", "header", "body", "note", "row"];

/// The most calls of one plug-in for one customer that can wait for their answers.
pub const CALLS_WAITING_MAX: usize = 32;
/// Bytes of a request's body at most. 64 KiB: it stands in the log.
pub const CALL_BODY_MAX: usize = 64 << 10;
/// Bytes of a note at most. 4 KiB: what a handler has to know when the answer comes.
pub const CALL_NOTE_MAX: usize = 4 << 10;
/// The media type of a row as it stands in the log, whatever it is sent as.
const ROW_MEDIA_TYPE: &str = "application/json";

/// What a capability may ask of one of its endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallAccess {
    /// Whether an administrator has bound it; one that is paused is bound.
    pub is_bound: bool,
    /// The methods that may be used.
    pub methods: Vec<Method>,
    /// Headers that the host sets at this endpoint, in lower case.
    pub host_headers: Vec<String>,
    /// It takes rows, and these; none: it takes requests.
    pub rows: Option<Rows>,
}

impl Effects {
    /// Says how many calls of the plug-in wait for the customer, before the handler is invoked.
    pub fn set_waiting_calls(&mut self, calls: usize) {
        self.calls_waiting = calls;
    }

    /// Says that the handler begins the look-up of a call: one request that only reads.
    pub fn set_looks_up(&mut self) {
        self.looks_up = true;
    }

    /// Notes what the handler of a look-up's answer found.
    pub fn find(&mut self, finding: Finding) -> Answer {
        self.take(Effect::Finding(finding))
    }

    /// Begins a request to an endpoint. Its number in this invocation, counted from 0, is for the functions that add
    /// to it.
    pub fn begin_call(
        &mut self,
        endpoint: &str,
        method: &str,
        path: &str,
    ) -> Result<Result<u32, Refused>, LimitSpent> {
        self.count()?;
        let call = self.new_call(endpoint, method, path);
        self.take_call(call)
    }

    /// Gives a row to an endpoint: one JSON text, which the host sends with the rows of other customers. Its number is
    /// that of a request.
    pub fn call_row(&mut self, endpoint: &str, row: &[u8]) -> Result<Result<u32, Refused>, LimitSpent> {
        self.count()?;
        self.add_bytes(row.len() as u64)?;
        let call = self.new_row(endpoint, row);
        self.take_call(call)
    }

    fn take_call(&mut self, call: Result<NewCall, Refused>) -> Result<Result<u32, Refused>, LimitSpent> {
        let call = match call {
            Ok(call) => call,
            Err(refused) => return Ok(Err(self.note_refusal(None, refused))),
        };
        let number = self.calls_begun();
        match self.take(Effect::Call(Box::new(call)))? {
            Ok(()) => Ok(Ok(u32::try_from(number).unwrap_or(u32::MAX))),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Adds a part to a request's query. The host encodes it.
    pub fn call_query(&mut self, call: u32, name: &str, value: &str) -> Answer {
        self.change_request(call, name.len() + value.len(), |_, call| {
            let mut query = call.query.clone();
            query.push((name.to_owned(), value.to_owned()));
            check_query(&query).map_err(|why| refused(RefusalCode::CallQuery, why))?;
            if name.is_empty() {
                return Err(refused(RefusalCode::CallQuery, "a part of the query has no name"));
            }
            call.query = query;
            Ok(())
        })
    }

    /// Sets a header of a request.
    pub fn call_header(&mut self, call: u32, name: &str, value: &str) -> Answer {
        self.change_request(call, name.len() + value.len(), |access, call| {
            let name = check_header(name, value).map_err(|why| refused(RefusalCode::CallHeader, why))?;
            if name == "content-type" {
                return Err(refused(RefusalCode::CallHeader, "content-type is set with the body"));
            }
            if access.host_headers.contains(&name) {
                let why = format!("`{name}` is set by the host at this endpoint");
                return Err(refused(RefusalCode::CallHeader, why));
            }
            if call.headers.iter().any(|(known, _)| *known == name) {
                return Err(refused(RefusalCode::CallHeader, format!("`{name}` is set twice")));
            }
            // Room for those that the host sets.
            let bytes: usize = call.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
            if call.headers.len() + 8 > HEADERS_MAX || bytes + value.len() > HEADERS_BYTES_MAX / 2 {
                return Err(refused(RefusalCode::CallHeader, "the request has too many headers"));
            }
            call.headers.push((name, value.to_owned()));
            Ok(())
        })
    }

    /// Sets the body of a request, with its media type.
    pub fn call_body(&mut self, call: u32, media_type: &str, body: Vec<u8>) -> Answer {
        self.change_request(call, media_type.len() + body.len(), |_, call| {
            if matches!(call.method.as_str(), "GET" | "HEAD") {
                let why = format!("a {} request has no body", call.method);
                return Err(refused(RefusalCode::CallBody, why));
            }
            if body.len() > CALL_BODY_MAX {
                let why = format!("a body can have {CALL_BODY_MAX} bytes, not {}", body.len());
                return Err(refused(RefusalCode::CallBody, why));
            }
            let is_type =
                media_type.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
            if !is_type || check_header("content-type", media_type).is_err() {
                let why = "the media type is none: write one such as application/json";
                return Err(refused(RefusalCode::CallBody, why));
            }
            call.body = Some(NewBody { media_type: media_type.to_owned(), bytes: body });
            Ok(())
        })
    }

    /// Keeps bytes that come back with the answer.
    pub fn call_note(&mut self, call: u32, note: Vec<u8>) -> Answer {
        self.change_call(call, note.len(), |_, call| {
            if note.len() > CALL_NOTE_MAX {
                let why = format!("a note can have {CALL_NOTE_MAX} bytes, not {}", note.len());
                return Err(refused(RefusalCode::CallNote, why));
            }
            call.note = Some(note);
            Ok(())
        })
    }

    /// An endpoint that an administrator has bound.
    fn bound(&self, endpoint: &str) -> Result<(&EndpointName, &CallAccess), Refused> {
        let Some((name, access)) = self.access().calls.get_key_value(endpoint) else {
            let why = format!("the manifest has no [calls.{}], or it was not granted", shorten(endpoint));
            return Err(refused(RefusalCode::CallNotDeclared, why));
        };
        if !access.is_bound {
            let why = format!("no administrator has bound the endpoint {name}");
            return Err(refused(RefusalCode::CallNotBound, why));
        }
        Ok((name, access))
    }

    fn new_call(&self, endpoint: &str, method: &str, path: &str) -> Result<NewCall, Refused> {
        let (name, access) = self.bound(endpoint)?;
        if access.rows.is_some() {
            let why = format!("the endpoint {name} takes rows; the host makes the requests: use row");
            return Err(refused(RefusalCode::CallRow, why));
        }
        let Some(method) = Method::named(method).filter(|method| access.methods.contains(method)) else {
            let why = format!("{:?} is not among the methods of the endpoint {name}", shorten(method));
            return Err(refused(RefusalCode::CallMethod, why));
        };
        if self.looks_up && !method.only_reads() {
            let why = format!("a look-up only reads: use GET or HEAD, not {method}");
            return Err(refused(RefusalCode::CallMethod, why));
        }
        if self.looks_up && self.calls_begun() > 0 {
            return Err(refused(RefusalCode::CallTooMany, "a look-up is one call"));
        }
        below_base(path).map_err(|why: BadPlace| refused(RefusalCode::CallPath, why))?;
        self.one_more_can_wait()?;
        Ok(request(name, method, path))
    }

    fn new_row(&self, endpoint: &str, row: &[u8]) -> Result<NewCall, Refused> {
        let (name, access) = self.bound(endpoint)?;
        let refuse = |why: String| Err(refused(RefusalCode::CallRow, why));
        let Some(rows) = &access.rows else {
            return refuse(format!("the endpoint {name} takes requests, not rows: use begin"));
        };
        let method = rows.method();
        if !access.methods.contains(&method) {
            let why = format!("{method} is not among the methods of the endpoint {name}");
            return Err(refused(RefusalCode::CallMethod, why));
        }
        if self.looks_up {
            return refuse("a look-up only reads: a row is sent".to_owned());
        }
        let bytes_max = CALL_BODY_MAX.min(rows.bytes_max());
        if row.len() > bytes_max {
            return refuse(format!("a row can have {bytes_max} bytes, not {}", row.len()));
        }
        let bytes = rows.row(row).map_err(|why| refused(RefusalCode::CallRow, why))?;
        self.one_more_can_wait()?;
        let body = NewBody { media_type: ROW_MEDIA_TYPE.to_owned(), bytes };
        Ok(NewCall { body: Some(body), is_row: true, ..request(name, method, &rows.path) })
    }

    fn one_more_can_wait(&self) -> Result<(), Refused> {
        if self.calls_waiting + self.calls_begun() >= CALLS_WAITING_MAX {
            let why = format!("{CALLS_WAITING_MAX} calls wait for their answers for this customer");
            return Err(refused(RefusalCode::CallTooMany, why));
        }
        Ok(())
    }

    /// Changes a call that is no row: of a row the host says what isn't in it.
    fn change_request(
        &mut self,
        number: u32,
        bytes: usize,
        change: impl FnOnce(&CallAccess, &mut NewCall) -> Result<(), Refused>,
    ) -> Answer {
        self.change_call(number, bytes, |access, call| match call.is_row {
            true => Err(refused(RefusalCode::CallRow, "a row has no query, headers or body of its own")),
            false => change(access, call),
        })
    }

    fn change_call(
        &mut self,
        number: u32,
        bytes: usize,
        change: impl FnOnce(&CallAccess, &mut NewCall) -> Result<(), Refused>,
    ) -> Answer {
        self.count()?;
        self.add_bytes(bytes as u64)?;
        let (access, taken) = self.access_and_taken();
        let calls = taken.iter_mut().filter_map(|effect| match effect {
            Effect::Call(call) => Some(call.as_mut()),
            _ => None,
        });
        let changed = match calls.into_iter().nth(number as usize) {
            Some(call) => {
                let none = CallAccess::default();
                change(access.calls.get(&call.endpoint).unwrap_or(&none), call)
            }
            None => {
                Err(refused(RefusalCode::CallNumber, format!("no call with the number {number} was begun")))
            }
        };
        match changed {
            Ok(()) => Ok(Ok(())),
            Err(refused) => Ok(Err(self.note_refusal(None, refused))),
        }
    }

    fn calls_begun(&self) -> usize {
        self.taken().iter().filter(|effect| matches!(effect, Effect::Call(_))).count()
    }
}

fn request(endpoint: &EndpointName, method: Method, path: &str) -> NewCall {
    NewCall {
        endpoint: endpoint.clone(),
        method: method.as_str().to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        note: None,
        is_row: false,
    }
}

fn refused(code: RefusalCode, why: impl std::fmt::Display) -> Refused {
    Refused { code, message: why.to_string() }
}

/// How many bytes a call counts when it is begun.
pub(crate) fn size(call: &NewCall) -> usize {
    call.endpoint.as_str().len() + call.method.len() + call.path.len()
}

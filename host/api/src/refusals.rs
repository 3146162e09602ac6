//! What capabilities refused of events, as a list in the order of the log.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire::query::RefusalParams;
use samsyn_wire::{ListedRefusal, RefusalPage};

use super::ApiState;
use super::convert::blocking;
use super::json::shortened;
use super::pagination::{List, Narrowed};
use super::params::Params;
use super::problem::{Answer, Kind, Problem};
use super::visibility::Viewer;
use samsyn_engine::{Engine, RefusedEvent};
use samsyn_journal::{AnswerKind, Decided};
use samsyn_vocabulary::{CapabilityName, Epoch, Partition, Position, Seq, Timestamp};

const REFUSALS: List = List("/v1/refusals");
/// Records looked at for one page: a fraction of a second.
const RECORDS_LOOKED_AT_MAX: usize = 20_000;
/// Positions that one `since` may name.
const POSITIONS_MAX: usize = 256;

/// The list that is asked for.
fn asked_for(params: &RefusalParams) -> Narrowed {
    let application = params.application.as_ref().map(|application| application.as_str());
    let capability = params.capability.as_ref().map(|capability| capability.as_str());
    REFUSALS.of([params.since.as_deref(), application, capability, params.code.as_deref()])
}

/// `GET /v1/refusals`.
pub async fn list(
    State(state): State<ApiState>,
    Extension(viewer): Extension<Viewer>,
    Params(params): Params<RefusalParams>,
) -> Answer {
    let limit = List::limit(params.limit)?;
    let start = params.since.as_deref().map_or(Ok(Start::Oldest), Start::parse)?;
    let place =
        asked_for(&params).after(params.cursor.as_deref())?.as_deref().map(PagePlace::parse).transpose()?;
    blocking(move || {
        let walk = Walk { engine: &state.engine, viewer: &viewer, params: &params, start };
        Ok(Json(walk.page(place, limit)?).into_response())
    })
    .await?
}

/// Where a walk begins.
enum Start {
    Oldest,
    At(Timestamp),
    From(BTreeMap<Partition, Seq>),
}

impl Start {
    fn parse(text: &str) -> Answer<Start> {
        let invalid = |detail: String| Problem::new(Kind::QueryInvalid, detail).at("since");
        if let Ok(time) = text.parse() {
            return Ok(Start::At(time));
        }
        if let Some(epoch) = Epoch::of(text) {
            let problem = invalid(format!("{:?} is not an RFC 3339 time", shortened(text)));
            return Err(problem.next(format!("Write `since={}`: {epoch}.", epoch.at)));
        }
        let mut from = BTreeMap::new();
        for position in text.split(',') {
            let position: Position = position.parse().map_err(|_| {
                let text = shortened(position);
                invalid(format!("{text:?} is neither an RFC 3339 time nor a position such as 12-345"))
            })?;
            if !position.partition.holds_customers() {
                return Err(invalid(format!("there is no event at {position}")));
            }
            if from.insert(position.partition, position.seq).is_some() {
                return Err(invalid(format!("two positions are in partition {}", position.partition)));
            }
            if from.len() > POSITIONS_MAX {
                return Err(invalid(format!("`since` has more than {POSITIONS_MAX} positions")));
            }
        }
        Ok(Start::From(from))
    }
}

/// Where a page goes on: with this record, of which so many refusals are on earlier pages.
#[derive(Clone, Copy)]
struct PagePlace {
    record: Position,
    passed: usize,
}

impl PagePlace {
    fn parse(key: &str) -> Answer<PagePlace> {
        let read = || {
            let (record, passed) = key.split_once(' ')?;
            Some(PagePlace { record: record.parse().ok()?, passed: passed.parse().ok()? })
        };
        read().ok_or_else(|| {
            Problem::new(Kind::CursorInvalid, "this is not a cursor of /v1/refusals").at("cursor")
        })
    }

    fn key(self) -> String {
        format!("{} {}", self.record, self.passed)
    }
}

struct Walk<'a> {
    engine: &'a Engine,
    viewer: &'a Viewer,
    params: &'a RefusalParams,
    start: Start,
}

impl Walk<'_> {
    fn page(&self, place: Option<PagePlace>, limit: usize) -> Answer<RefusalPage> {
        let partitions = match &self.start {
            Start::From(from) => from.keys().copied().collect(),
            Start::Oldest | Start::At(_) => self.engine.query().customer_partitions(),
        };
        // Asked before the walk, which thereby meets every refusal of what is decided by now.
        let decided =
            partitions.iter().map(|partition| self.engine.query().decided_by_all(*partition)).collect();
        let mut page = RefusalPage {
            items: Vec::new(),
            next: None,
            decided,
            shows_all: self.viewer.policy().reads_everything(),
        };
        let mut looked_at = 0;
        let passed = |partition: &Partition| place.is_some_and(|place| *partition < place.record.partition);
        for partition in partitions.into_iter().filter(|partition| !passed(partition)) {
            let place = match place.filter(|place| place.record.partition == partition) {
                Some(place) => place,
                None => PagePlace { record: Position { partition, seq: self.first(partition)? }, passed: 0 },
            };
            let next = self.walk(place, limit, &mut page.items, &mut looked_at)?;
            page.next = next.map(|place| asked_for(self.params).cursor(&place.key()));
            if page.next.is_some() {
                break;
            }
        }
        Ok(page)
    }

    fn first(&self, partition: Partition) -> Answer<Seq> {
        Ok(match &self.start {
            Start::Oldest => 1,
            Start::At(time) => self.engine.query().first_since(partition, *time)?,
            Start::From(from) => from.get(&partition).copied().unwrap_or(1),
        })
    }

    /// Walks one partition until the page is full or enough was looked at: then it tells where to go on.
    fn walk(
        &self,
        from: PagePlace,
        limit: usize,
        items: &mut Vec<ListedRefusal>,
        looked_at: &mut usize,
    ) -> Answer<Option<PagePlace>> {
        for looked in self.engine.query().look_for_refusals(from.record.partition, from.record.seq) {
            let looked = looked?;
            *looked_at += 1;
            let record = looked.position;
            if let Some(decided) = looked.refuses {
                let passed = if record == from.record { from.passed } else { 0 };
                for (number, item) in self.items(record, *decided)?.into_iter().enumerate().skip(passed) {
                    if items.len() == limit {
                        return Ok(Some(PagePlace { record, passed: number }));
                    }
                    items.push(item);
                }
            }
            if *looked_at >= RECORDS_LOOKED_AT_MAX {
                return Ok(Some(PagePlace { record: Position { seq: record.seq + 1, ..record }, passed: 0 }));
            }
        }
        Ok(None)
    }

    /// What of a decision's refusals is asked for and may be seen.
    fn items(&self, decision: Position, decided: Decided) -> Answer<Vec<ListedRefusal>> {
        let mut items = Vec::new();
        for refused in self.engine.query().refused_events(decided)? {
            if self.is_asked_for(&refused) && self.sees(&refused) {
                items.extend(self.items_of(decision, &refused));
            }
        }
        Ok(items)
    }

    fn is_asked_for(&self, RefusedEvent { accepted, .. }: &RefusedEvent) -> bool {
        let application = accepted.event.application.as_ref();
        self.params.application.as_ref().is_none_or(|wanted| application == Some(wanted))
    }

    /// A copy of a shared event is nobody's, so that nobody learns from them how many share a number.
    fn sees(&self, RefusedEvent { accepted, .. }: &RefusedEvent) -> bool {
        self.viewer.sees_event(&accepted.event)
    }

    fn items_of(&self, decision: Position, refused: &RefusedEvent) -> Vec<ListedRefusal> {
        let RefusedEvent { position, accepted, decided } = refused;
        let event = &accepted.event;
        let own = self.viewer.sent(event);
        let item =
            |capability: &CapabilityName, field: Option<&str>, code: &str, message: &str| ListedRefusal {
                event: event.id.clone(),
                position: (*position).into(),
                application: event.application.clone().map(Into::into),
                name: event.name.to_string(),
                capability: capability.clone().into(),
                field: field.map(str::to_owned),
                code: code.to_owned(),
                message: self.viewer.sees_message(field, code, own).then(|| message.to_owned()),
                decision: decision.into(),
                decided_at: decided.at.into(),
            };
        let mut items = Vec::new();
        for outcome in &decided.outcomes {
            let seen = outcome.refusals.iter().filter(|refusal| self.viewer.sees_refusal(refusal, own));
            items.extend(seen.map(|refusal| {
                item(&outcome.capability, refusal.field.as_deref(), &refusal.code, &refusal.message)
            }));
        }
        // What a source said of a proposal mostly stands among its delivery's refusals already: of that
        // field, or of all at once.
        for answer in &decided.answers {
            let (AnswerKind::Refused { code, message }, Some(source)) = (&answer.outcome, &answer.source)
            else {
                continue;
            };
            let field = answer.field.as_str();
            let is_told = items.iter().any(|item| {
                let of_field = item.field.as_deref().is_none_or(|told| told == field);
                of_field && item.capability.is(source) && item.code == *code
            });
            if !is_told && self.viewer.sees_proposal(field, own) {
                items.push(item(source, Some(field), code, message));
            }
        }
        items.retain(|item| {
            self.params.capability.as_ref().is_none_or(|wanted| item.capability.is(wanted))
                && self.params.code.as_ref().is_none_or(|wanted| item.code == *wanted)
        });
        items
    }
}

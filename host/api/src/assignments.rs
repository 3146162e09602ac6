//! Giving fields to another source: the plan, and carrying it out. And how far telling whoever
//! consumes them is.

use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire::{
    self as wire, Applied, AssignAnswer, ChangedValue, FieldAssignmentPlan, Job, Jobs, JsonValue,
    WithoutClaim,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::access::Caller;
use super::convert::blocking;
use super::pagination::List;
use super::params::{DryRun, ListParams, Params, Segment};
use super::problem::{Answer, Kind, Problem};
use super::read_audit::{Reader, Shown, record_read};
use super::visibility::Viewer;
use super::words::{name as named, names, word};
use super::{ApiState, body, fields, json};
use samsyn_engine::{AssignmentPlan, ConsumerPlan, FieldPlan, JobReport, SamplePlan};
use samsyn_registry::assignment::{Mode, Request as Wanted};
use samsyn_registry::{Attribution, Policy, Registry};
use samsyn_vocabulary::{CapabilityName, FieldName, Partition, Position, Seq};

const JOBS: List = List("/v1/jobs");

/// The plan, once it is recorded whose values its samples show. A plan is needed also when that
/// can't be: it then comes without them.
async fn tell<'a>(
    state: &ApiState,
    reader: &Reader,
    plan: &'a AssignmentPlan,
    policy: &Policy,
) -> wire::AssignmentPlan<'a> {
    wire::AssignmentPlan {
        revision: plan.revision,
        mode: word(&plan.mode),
        unchanged: plan.is_no_change(),
        fields: tell_fields(state, reader, &plan.fields, policy).await,
    }
}

/// The same of some fields.
pub async fn tell_fields<'a>(
    state: &ApiState,
    reader: &Reader,
    plans: &'a [FieldPlan],
    policy: &Policy,
) -> Vec<FieldAssignmentPlan<'a>> {
    let registry = state.engine.registry();
    // Who may change the registry needn't be one who may see what it says of whom.
    let may_see = |field: &&FieldPlan| policy.reads(field.assigned.field.as_str());
    let shown = plans.iter().filter(may_see).flat_map(|field| {
        let samples = field.samples.iter();
        samples.map(|sample| Shown::of(sample.profile).with(&field.assigned.field, &registry))
    });
    let shown: Vec<Shown> = shown.collect();
    let recorded = record_read(state, reader, shown).await.is_ok();
    plans.iter().map(|field| field_plan(field, recorded && may_see(&field))).collect()
}

fn field_plan(plan: &FieldPlan, with_samples: bool) -> FieldAssignmentPlan<'_> {
    let shown = if with_samples { plan.samples.as_slice() } else { &[] };
    let samples = shown.iter().map(|SamplePlan { profile, before, after }| ChangedValue {
        profile: (*profile).into(),
        before: JsonValue::Held(before.as_ref()),
        after: JsonValue::Held(after.as_ref()),
    });
    let consumers = plan.consumers.iter().map(|ConsumerPlan { capability, profiles }| wire::ConsumerPlan {
        capability: capability.to_string(),
        profiles: *profiles,
    });
    FieldAssignmentPlan {
        field: plan.assigned.field.to_string(),
        from: named(plan.from.as_ref()),
        to: named(plan.assigned.source.as_ref()),
        inherits: names(&plan.assigned.inherits),
        unchanged: plan.unchanged,
        protective: plan.protective,
        changed: plan.changed,
        without_claim: WithoutClaim {
            profiles: plan.without_claim,
            inherit: plan.inherit,
            none: plan.without_claim - plan.inherit,
        },
        opt_outs: plan.opt_outs,
        held: plan.held,
        uncounted: plan.uncounted,
        consumers: consumers.collect(),
        samples: samples.collect(),
    }
}

/// Which fields go to whom.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["to"]))]
pub struct Assignment {
    /// The fields.
    #[serde(default)]
    fields: Vec<FieldName>,
    /// Whose fields go, all of them; with `all` instead of `fields`.
    #[serde(default)]
    from: Option<CapabilityName>,
    /// Said together with `from`.
    #[serde(default)]
    all: bool,
    /// Their source from then on, or null for none.
    // Null must be said: an empty body is no decision.
    #[serde(deserialize_with = "Option::deserialize")]
    to: Option<CapabilityName>,
    /// `clear` takes values away that the new source has no claim for.
    #[serde(default)]
    mode: Mode,
    /// The revision of the plan that was looked at.
    #[serde(default, deserialize_with = "json::integer_or_none")]
    #[schemars(range(max = json::INTEGER_MAX))]
    revision: Option<Seq>,
}

impl Assignment {
    /// The fields that are meant: those named, or all that a capability sources now.
    fn wanted(&self, registry: &Registry) -> Answer<Wanted> {
        let fields = match (&self.from, self.all, self.fields.is_empty()) {
            (None, false, false) => self.fields.clone(),
            (Some(from), true, true) => {
                if registry.generation(from) == 0 {
                    let detail = format!("there is no capability {from}");
                    return Err(Problem::new(Kind::UnknownCapability, detail).at("from"));
                }
                registry.sourced_by(from)
            }
            _ => {
                let detail = "the body has neither `fields`, nor `from` with `all`";
                let problem = Problem::new(Kind::MissingKey, detail).at("fields");
                return Err(problem.next(
                    "Send {\"fields\": [\"country\"], \"to\": \"crm\"} or {\"from\": \"crm\", \"all\": true, \"to\": \"crm2\"}.",
                ));
            }
        };
        Ok(Wanted { fields, to: self.to.clone(), mode: self.mode })
    }
}

/// `POST /v1/assignments`.
pub async fn assign(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(Caller(application)): Extension<Caller>,
    Extension(viewer): Extension<Viewer>,
    Params(params): Params<DryRun>,
    request: Request,
) -> Answer {
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let assignment: Assignment = json::body_as(&bytes)?;
    let wanted = assignment.wanted(&state.engine.registry())?;
    let engine = state.engine.clone();
    if params.dry_run {
        let plan = blocking(move || engine.plan_assignment(&wanted)).await??;
        let plan = tell(&state, &reader, &plan, viewer.policy()).await;
        return Ok(Json(AssignAnswer::Plan(plan)).into_response());
    }
    let by = Attribution { by: application, reason: params.reason };
    let (plan, seq) = blocking(move || engine.assign(&wanted, assignment.revision, by)).await??;
    let revision = durable(&state, seq).await?;
    let plan = tell(&state, &reader, &plan, viewer.policy()).await;
    let answer = Applied { applied: seq.is_some(), revision, plan };
    Ok(Json(AssignAnswer::Applied(answer)).into_response())
}

/// Waits until a change of the registry is on the disk; the revision then.
async fn durable(state: &ApiState, seq: Option<Seq>) -> Answer<Seq> {
    let Some(seq) = seq else { return Ok(state.engine.registry().revision) };
    state.engine.durable(Position { partition: Partition::REGISTRY, seq }).await?;
    Ok(seq)
}

/// Whose claims are to be one field's values. `capability` is `source` by its older name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["source"]))]
pub struct OneAssignment {
    /// The new source, or null for none.
    #[serde(alias = "capability", deserialize_with = "Option::deserialize")]
    source: Option<CapabilityName>,
    #[serde(default)]
    mode: Mode,
    /// The revision of the plan that was looked at.
    #[serde(default, deserialize_with = "json::integer_or_none")]
    #[schemars(range(max = json::INTEGER_MAX))]
    revision: Option<Seq>,
}

/// `PUT /v1/fields/{name}/source`.
pub async fn assign_one(
    State(state): State<ApiState>,
    reader: Reader,
    Extension(Caller(application)): Extension<Caller>,
    Extension(viewer): Extension<Viewer>,
    Segment(name): Segment,
    Params(params): Params<DryRun>,
    request: Request,
) -> Answer {
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let OneAssignment { source, mode, revision } = json::body_as(&bytes)?;
    let field = fields::known_name(&state.engine.registry(), &name)?;
    let wanted = Wanted { fields: vec![field], to: source, mode };
    let engine = state.engine.clone();
    if params.dry_run {
        let plan = blocking(move || engine.plan_assignment(&wanted)).await??;
        return Ok(Json(tell(&state, &reader, &plan, viewer.policy()).await).into_response());
    }
    let by = Attribution { by: application, reason: params.reason };
    let (_, seq) = blocking(move || engine.assign(&wanted, revision, by)).await??;
    durable(&state, seq).await?;
    fields::answer(&state.engine.registry(), &name, viewer.policy())
}

fn job_answer(job: &JobReport) -> Job {
    Job {
        revision: job.revision,
        fields: names(&job.fields),
        state: if job.ended_at.is_some() { "done" } else { "running" }.to_owned(),
        done: job.done,
        total: job.total,
        told: job.notified,
        started_at: job.started_at.into(),
        ended_at: job.ended_at.map(Into::into),
    }
}

/// `GET /v1/jobs`: the one that runs and the last that ended, few enough for one page.
pub async fn jobs(State(state): State<ApiState>, Params(params): Params<ListParams>) -> Answer {
    JOBS.after(params.cursor.as_deref())?;
    let limit = List::limit(params.limit)?;
    let jobs = state.engine.jobs();
    let items = jobs.jobs.iter().take(limit).map(job_answer).collect();
    Ok(Json(Jobs { items, adopted: jobs.adopted }).into_response())
}

//! Assigning fields to another source: the plan, and carrying it out. And the progress of notifying their
//! consumers.

use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire::request::{Assignment, OneAssignment};
use samsyn_wire::{
    self as wire, Applied, AssignAnswer, ChangedValue, FieldAssignmentPlan, Job, Jobs, JsonValue,
    WithoutClaim,
};

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
use samsyn_registry::assignment::Request as Wanted;
use samsyn_registry::{Attribution, Policy, Registry};
use samsyn_vocabulary::{Partition, Position, Seq};

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
    // A token that may change the registry may be one that sees no customer's values.
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

/// The fields that are meant: those named, or all that a capability sources now.
fn wanted(assignment: &Assignment, registry: &Registry) -> Answer<Wanted> {
    let Assignment { fields, from, all, to, mode, .. } = assignment;
    let fields = match (from, *all, fields.is_empty()) {
        (None, false, false) => fields.clone(),
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
    Ok(Wanted { fields, to: to.clone(), mode: *mode })
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
    let wanted = wanted(&assignment, &state.engine.registry())?;
    let engine = state.engine.clone();
    if params.dry_run {
        let plan = blocking(move || engine.registrar().plan_assignment(&wanted)).await??;
        let plan = tell(&state, &reader, &plan, viewer.policy()).await;
        return Ok(Json(AssignAnswer::Plan(plan)).into_response());
    }
    let by = Attribution { by: application, reason: params.reason };
    let (plan, seq) = blocking(move || engine.registrar().assign(&wanted, assignment.revision, by)).await??;
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
        let plan = blocking(move || engine.registrar().plan_assignment(&wanted)).await??;
        return Ok(Json(tell(&state, &reader, &plan, viewer.policy()).await).into_response());
    }
    let by = Attribution { by: application, reason: params.reason };
    let (_, seq) = blocking(move || engine.registrar().assign(&wanted, revision, by)).await??;
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
    let jobs = state.engine.notifier().jobs();
    let items = jobs.jobs.iter().take(limit).map(job_answer).collect();
    Ok(Json(Jobs { items, adopted: jobs.adopted }).into_response())
}

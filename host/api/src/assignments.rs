//! Giving fields to another source: the plan, and carrying it out. And how far telling whoever
//! consumes them is.

use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Caller;
use super::convert::blocking;
use super::json_value::JsonValue;
use super::pagination::List;
use super::params::{DryRun, ListParams, Params, Segment};
use super::problem::{Answer, Kind, Problem};
use super::read_audit::{Reader, Shown, record_read};
use super::visibility::Viewer;
use super::{ApiState, body, fields, json};
use samsyn_engine::{AssignmentPlan, ConsumerPlan, FieldPlan, JobReport, SamplePlan};
use samsyn_registry::assignment::{Mode, Request as Wanted};
use samsyn_registry::{Attribution, Policy, Registry};
use samsyn_vocabulary::{CapabilityName, FieldName, Partition, Position, ProfileId, Seq, Timestamp};

const JOBS: List = List("/v1/jobs");

/// A plan as it is answered.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AssignmentPlan")]
pub struct PlanAnswer<'a> {
    /// The registry's revision: applied with it, the plan is what happens.
    revision: Seq,
    /// What becomes of customers the new source has no claim for.
    mode: Mode,
    /// It is so already.
    unchanged: bool,
    /// Each field.
    fields: Vec<FieldPlanAnswer<'a>>,
}

/// What an assignment would change of one field; counts are of customers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FieldAssignmentPlan")]
pub struct FieldPlanAnswer<'a> {
    field: &'a FieldName,
    /// Its source now.
    from: Option<&'a CapabilityName>,
    /// Its source then.
    to: Option<&'a CapabilityName>,
    /// Whose claims stand in where that one has none, newest first.
    inherits: &'a [CapabilityName],
    /// It is so already.
    unchanged: bool,
    /// An opt-out, which no assignment ends.
    protective: bool,
    /// Whose visible value would be another one.
    changed: u64,
    /// Those the new source has no claim for.
    without_claim: WithoutClaim,
    /// Whose opt-out stays in force.
    opt_outs: u64,
    /// Held proposals it would be offered.
    held: u64,
    /// Those with too many claims to be counted exactly.
    uncounted: u64,
    /// Who hears of it.
    consumers: &'a [ConsumerPlan],
    /// A few of them; none while reads of personal data can't be recorded.
    samples: Vec<SampleAnswer<'a>>,
}

/// Customers with a value that the new source has no claim for.
#[derive(Serialize, JsonSchema)]
pub struct WithoutClaim {
    /// All of them.
    profiles: u64,
    /// Those that keep a value.
    inherit: u64,
    /// Those that have none then.
    none: u64,
}

/// A customer whose value would be another one.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChangedValue")]
pub struct SampleAnswer<'a> {
    profile: ProfileId,
    before: JsonValue<'a>,
    after: JsonValue<'a>,
}

/// The plan, once it is recorded whose values its samples show. A plan is needed also when that
/// can't be: it then comes without them.
async fn tell<'a>(
    state: &ApiState,
    reader: &Reader,
    plan: &'a AssignmentPlan,
    policy: &Policy,
) -> PlanAnswer<'a> {
    PlanAnswer {
        revision: plan.revision,
        mode: plan.mode,
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
) -> Vec<FieldPlanAnswer<'a>> {
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

fn field_plan<'a>(plan: &'a FieldPlan, with_samples: bool) -> FieldPlanAnswer<'a> {
    let shown = if with_samples { plan.samples.as_slice() } else { &[] };
    let sample = |SamplePlan { profile, before, after }: &'a SamplePlan| {
        let (before, after) = (JsonValue(before.as_ref()), JsonValue(after.as_ref()));
        SampleAnswer { profile: *profile, before, after }
    };
    FieldPlanAnswer {
        field: &plan.assigned.field,
        from: plan.from.as_ref(),
        to: plan.assigned.source.as_ref(),
        inherits: &plan.assigned.inherits,
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
        consumers: &plan.consumers,
        samples: shown.iter().map(sample).collect(),
    }
}

/// The plan of an assignment, or what was done.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum AssignAnswer<'a> {
    /// What it would change.
    Plan(PlanAnswer<'a>),
    /// It was carried out.
    Applied(Applied<'a>),
}

/// An assignment that was carried out.
#[derive(Serialize, JsonSchema)]
pub struct Applied<'a> {
    /// Whether anything changed.
    applied: bool,
    /// The registry's revision now.
    revision: Seq,
    /// What it changed.
    plan: PlanAnswer<'a>,
}

/// The field as it is now, or the plan.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only described: both are answered as they are")]
pub enum OneAnswer<'a> {
    /// As it is now.
    Field(fields::FieldAnswer<'a>),
    /// What it would change.
    Plan(PlanAnswer<'a>),
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

/// How far telling consumers of moved sources is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub struct JobAnswer<'a> {
    /// The revision that moved the sources.
    revision: Seq,
    fields: Vec<&'a FieldName>,
    state: &'static str,
    /// Customers looked at.
    done: u64,
    /// Customers there are.
    total: u64,
    /// Customers whose consumers were told something; null when that was before the host's last start.
    told: Option<u64>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
}

/// The job that runs and the last that ended.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Jobs")]
pub struct JobsAnswer<'a> {
    items: Vec<JobAnswer<'a>>,
    /// The revision that is in use everywhere: jobs of newer ones have yet to begin.
    adopted: Seq,
}

fn job_answer(job: &JobReport) -> JobAnswer<'_> {
    JobAnswer {
        revision: job.revision,
        fields: job.fields.iter().collect(),
        state: if job.ended_at.is_some() { "done" } else { "running" },
        done: job.done,
        total: job.total,
        told: job.notified,
        started_at: job.started_at,
        ended_at: job.ended_at,
    }
}

/// `GET /v1/jobs`: the one that runs and the last that ended, few enough for one page.
pub async fn jobs(State(state): State<ApiState>, Params(params): Params<ListParams>) -> Answer {
    JOBS.after(params.cursor.as_deref())?;
    let limit = List::limit(params.limit)?;
    let jobs = state.engine.jobs();
    let items = jobs.jobs.iter().take(limit).map(job_answer).collect();
    Ok(Json(JobsAnswer { items, adopted: jobs.adopted }).into_response())
}

"""What a client in Python can write, and what its checker must not let through: see
scripts/check-clients.sh."""

from samsyn_client import AuthenticatedClient
from samsyn_client.api.app_developer import propose_values, take_events
from samsyn_client.models import NewEvent, NewEventList, Problem, ProfilePatch, ProfilePatchFields

client = AuthenticatedClient(base_url="http://127.0.0.1:7400", token="")
event = NewEvent(name="order.completed")


def right() -> None:
    take_events.sync_detailed(client=client, body=event)
    take_events.sync_detailed(client=client, body=[event])
    take_events.sync_detailed(client=client, body=NewEventList(events=[event]))
    patch = ProfilePatch(fields=ProfilePatchFields())
    answer = propose_values.sync("customer_id:00042", client=client, body=patch, prefer="wait=5")
    if isinstance(answer, Problem):
        code: str = answer.code
        print(code, answer.event)


def wrong() -> None:
    take_events.sync_detailed(client=client, body=42)  # type: ignore[arg-type]
    take_events.sync_detailed(client=client, body=[42])  # type: ignore[list-item]
    NewEvent(name=7)  # type: ignore[arg-type]
    NewEvent()  # type: ignore[call-arg]
    NewEvent(name="order.completed", colour="red")  # type: ignore[call-arg]

"""One service: a network, its limits, and what is going on; the routes ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featherface.data.images import format_of
from featherface.serving.admission import Admission
from featherface.serving.detection import DetectionThreads
from featherface.serving.measurements import Measurements
from featherface.serving.refusals import Refusal, stopping, wrong_type
from featherface.serving.uploads import read_pictures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featherface.serving.detection import PictureAnswer
    from featherface.serving.limits import ServingLimits
    from featherface.serving.served_model import ServedModel
    from featherface.serving.uploads import Receive

DONE = "done"


class Service:
    """Everything that lasts from one request to the next."""

    def __init__(self, model: ServedModel, limits: ServingLimits) -> None:
        self.model = model
        self.limits = limits
        self.admission = Admission(limits)
        self.measured = Measurements()
        self.measured.observe(model, self.admission)
        self.threads = DetectionThreads(model, limits, self.measured)

    def stop(self) -> None:
        """Take no more requests with pictures; those that were admitted go on."""
        self.admission.stopping = True

    def close(self) -> None:
        """Let go of what computes."""
        self.stop()
        self.threads.close()

    def check_ready(self) -> None:
        """Check that pictures are taken.

        Raises:
            Refusal: 503, the service stops.
        """
        if self.admission.stopping:
            raise stopping()

    async def picture(
        self, headers: Mapping[str, str], receive: Receive, score: float
    ) -> dict[str, Any]:
        """Answer a request of one picture.

        Raises:
            Refusal: there is no answer.
        """
        (answer,) = await self._answers(headers, receive, score, 1)
        if isinstance(answer, Refusal):
            raise answer
        return {**answer, "model": self.model.identity()}

    async def batch(
        self, headers: Mapping[str, str], receive: Receive, score: float
    ) -> tuple[int, dict[str, Any]]:
        """Answer a request of several pictures: HTTP status, and an entry for each.

        The status is that of the first refusal where no picture could be looked at.

        Raises:
            Refusal: there is no answer for any, as the request as a whole is wrong.
        """
        answers = await self._answers(headers, receive, score, self.limits.pictures)
        entries = [
            {"error": each.to_json()} if isinstance(each, Refusal) else each for each in answers
        ]
        body = {"pictures": entries, "model": self.model.identity()}
        refused = [each for each in answers if isinstance(each, Refusal)]
        if len(refused) < len(answers):
            return 200, body
        return refused[0].status, {"error": refused[0].to_json(), **body}

    async def _answers(
        self, headers: Mapping[str, str], receive: Receive, score: float, most: int
    ) -> list[PictureAnswer | Refusal]:
        with self.admission.admitted() as allowance:
            uploads = await read_pictures(headers, receive, allowance, most)
            answers: list[PictureAnswer | Refusal] = [wrong_type(each.name) for each in uploads]
            if any(format_of(each.content) for each in uploads):  # the others need no turn
                answers = await self.threads.answers(uploads, score, _left(receive))
        for each in answers:
            self.measured.picture(each.code if isinstance(each, Refusal) else DONE)
        return answers


async def _left(receive: Receive) -> None:
    """Wait until the client goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass

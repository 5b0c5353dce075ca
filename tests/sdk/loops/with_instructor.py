# SPDX-License-Identifier: MIT
"""What Instructor does, an object out of a text, in its modes; with an image, and streamed."""
import instructor
import openai

from job import BASE_URL, TOKEN, Trip, run


def ask(job, mode, content=None, **more):
    client = instructor.from_openai(openai.OpenAI(base_url=BASE_URL, api_key=TOKEN, max_retries=0), mode=mode)
    messages = [{"role": "user", "content": content or job.prompt}]
    return client.chat.completions.create(model=job.model, messages=messages, max_retries=0, **{"response_model": Trip} | more)


class Operations:
    def structured(job):
        return {"data": ask(job, instructor.Mode.JSON_SCHEMA)}

    def structured_by_function(job):
        return {"data": ask(job, instructor.Mode.TOOLS)}

    def structured_image(job):
        content = [job.prompt, instructor.Image.from_base64(job.image)]
        return {"data": ask(job, instructor.Mode.JSON_SCHEMA, content)}

    def structured_stream(job):
        *_, last = ask(job, instructor.Mode.TOOLS, response_model=instructor.Partial[Trip], stream=True)
        return {"data": last}


run(Operations)

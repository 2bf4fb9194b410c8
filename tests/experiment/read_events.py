"""What TensorBoard's own reader finds in a folder of event files, as JSON on standard output."""

import base64
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

reader = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0})
reader.Reload()
tags = reader.Tags()
json.dump(
    {
        "scalars": {
            tag: [[event.step, event.value] for event in reader.Scalars(tag)]
            for tag in tags["scalars"]
        },
        "images": {
            tag: [
                {
                    "step": image.step,
                    "width": image.width,
                    "height": image.height,
                    "png": base64.b64encode(image.encoded_image_string).decode(),
                }
                for image in reader.Images(tag)
            ]
            for tag in tags["images"]
        },
    },
    sys.stdout,
)

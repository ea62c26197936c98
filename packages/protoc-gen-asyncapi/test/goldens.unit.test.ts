import { describeGoldens } from "../../proto-schemas/test/goldens.ts";
import { createPlugin } from "../src/plugin.ts";

describeGoldens("protoc-gen-asyncapi", createPlugin);

/** `decantLayout` in any JavaScript engine. */
import { layOut, layOutText } from "./layout";

(globalThis as unknown as Record<string, unknown>)["decantLayout"] = { layOut, layOutText };

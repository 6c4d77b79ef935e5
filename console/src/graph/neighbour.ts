/** Where an arrow key leads from a state: the nearest one that lies that way on the page. */
import type { Node } from "../layout/layout";

const WAYS: Record<string, [number, number]> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

export function neighbour(nodes: Node[], from: Node, key: string): Node | undefined {
  if (key === "Home") return nodes[0];
  if (key === "End") return nodes[nodes.length - 1];
  const way = WAYS[key];
  if (!way) return undefined;
  const [x, y] = middle(from);
  let best: Node | undefined;
  let least = Infinity;
  for (const node of nodes) {
    const [toX, toY] = middle(node);
    const along = (toX - x) * way[0] + (toY - y) * way[1];
    const aside = Math.abs((toX - x) * way[1]) + Math.abs((toY - y) * way[0]);
    if (node !== from && along > 4 && along + 2.2 * aside < least) {
      best = node;
      least = along + 2.2 * aside;
    }
  }
  return best;
}

/** Of a box, its title's: what is inside lies below it. */
const middle = (node: Node): [number, number] => [node.x + node.width / 2, node.box ? node.y + 10 : node.y + node.height / 2];

import type { Direction } from '../../src/view/treeMessages.ts';
import { fill, h, svg } from '../shared/dom.ts';
import { layOut, type Layout, type Size } from './layout.ts';
import { nodeByKey } from './navigation.ts';
import { nodeElement, nodeSizes } from './nodeElement.ts';
import type { NodeContent } from './nodeElement.ts';
import type { TreeNode } from './nodes.ts';
import { fittingZoom, isWhole, limitedZoom, STEP } from './zoom.ts';

export interface CanvasListeners {
  /** A node has the focus now, by the keyboard or by a click. */
  readonly onPick: (node: TreeNode) => void;
  /** The editor is asked for. */
  readonly onOpen: (node: TreeNode) => void;
  /** Somebody wants it this large; null: as large as there is room for. */
  readonly onZoom: (zoom: number | null) => void;
}

export interface Drawing {
  /** The root first; none where there is no tree. */
  readonly nodes: readonly TreeNode[];
  /** Whether nodes have room for what they compute. */
  readonly hasStatistics: boolean;
  readonly direction: Direction;
  /** Times the natural size; null fits the tree into the room there is, as far as it can be read then. */
  readonly zoom: number | null;
}

interface Spot {
  readonly x: number;
  readonly y: number;
}

/** The tree itself: made to fit, or as large as somebody wants it; one node at a time takes part in the order of the Tab key. */
export class Canvas {
  readonly element = h('div', { class: 'canvas' });
  private readonly tree = h('div', { class: 'tree', role: 'tree' });
  /** As large as the tree is drawn, so that there is something to scroll. */
  private readonly sheet = h('div', { class: 'sheet' }, this.tree);
  private readonly listeners: CanvasListeners;
  private drawing: Drawing = { nodes: [], hasStatistics: false, direction: 'right', zoom: null };
  private label = '';
  private content: NodeContent = 'shapes';
  private scale = 1;
  private layout: Layout | undefined;
  private elements: HTMLElement[] = [];
  private active = 0;
  private outlined: number | null = null;

  constructor(listeners: CanvasListeners) {
    this.listeners = listeners;
    this.element.append(this.sheet);
    this.tree.addEventListener('keydown', (event) => {
      this.onKey(event);
    });
    // A pinch on a touchpad comes as a wheel with the control key.
    this.element.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        listeners.onZoom(limitedZoom(this.scale * Math.exp(-event.deltaY / 300)));
      },
      { passive: false },
    );
    new ResizeObserver(() => {
      const { drawing } = this;
      if (drawing.nodes.length > 0 && this.contentOf(drawing) !== this.content) this.draw(drawing, this.label);
      else this.fit();
    }).observe(this.element);
  }

  /** @param label of the tree, for a screen reader */
  draw(drawing: Drawing, label: string): void {
    const { nodes, direction } = drawing;
    const hadFocus = this.tree.contains(document.activeElement);
    const isSameTree = nodes.length === this.drawing.nodes.length;
    const isZoomed = isSameTree && drawing.zoom !== null;
    const isMoved =
      !isSameTree || direction !== this.drawing.direction || (drawing.zoom === null && this.drawing.zoom !== null);
    this.drawing = drawing;
    if (!isSameTree) this.active = 0;
    this.label = label;
    this.tree.setAttribute('aria-label', label);
    if (nodes.length === 0) {
      this.elements = [];
      this.layout = undefined;
      fill(this.tree);
      return;
    }
    const content = this.contentOf(drawing);
    this.content = content;
    const sizes = nodeSizes(nodes, content, direction);
    const layout = layOut(nodes, sizes, direction);
    this.layout = layout;
    const lines = svg('svg', { class: 'links', width: layout.width, height: layout.height, 'aria-hidden': 'true' });
    for (const d of layout.links) lines.append(svg('path', { d }));
    this.elements = nodes.map((node, index) => {
      const pick = (picked: TreeNode): void => {
        this.focus(picked);
      };
      const size = { width: sizes.widths[node.level - 1]!, height: sizes.height };
      const element = nodeElement(node, content, size, { onPick: pick, onOpen: this.listeners.onOpen });
      element.style.left = `${layout.corners[index]!.x}px`;
      element.style.top = `${layout.corners[index]!.y}px`;
      return element;
    });
    fill(this.tree, lines, ...this.elements);
    const middle = this.middle();
    this.fit();
    this.mark();
    if (isMoved) this.toRoot();
    else if (isZoomed) this.lookAt(middle);
    if (hadFocus) this.elements[this.active]?.focus({ preventScroll: true });
  }

  /** By a step larger or smaller. */
  zoomBy(steps: number): void {
    this.listeners.onZoom(limitedZoom(this.scale * STEP ** steps));
  }

  /** Outlines the node of the cursor. @param reveal whether it is brought into view */
  outline(node: number | null, reveal: boolean): void {
    this.outlined = node;
    if (node !== null && node < this.elements.length) {
      // The editor follows the keyboard in here, and says so late: it is not to take the keyboard back to where that was.
      if (!document.hasFocus() || !this.tree.contains(document.activeElement)) this.active = node;
      if (reveal) this.elements[node]!.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
    this.mark();
  }

  private focus(node: TreeNode): void {
    this.active = node.index;
    this.mark();
    this.elements[node.index]?.focus();
    this.listeners.onPick(node);
  }

  private mark(): void {
    for (const [index, element] of this.elements.entries()) {
      const isOutlined = index === this.outlined;
      element.tabIndex = index === this.active ? 0 : -1;
      element.classList.toggle('outlined', isOutlined);
      element.setAttribute('aria-selected', String(isOutlined));
    }
  }

  private onKey(event: KeyboardEvent): void {
    const { nodes, direction } = this.drawing;
    const node = nodes[this.active];
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter') this.listeners.onOpen(node);
    else if (event.key === ' ') this.focus(node);
    else if (event.key === '+' || event.key === '=') this.zoomBy(1);
    else if (event.key === '-') this.zoomBy(-1);
    else if (event.key === '0') this.listeners.onZoom(null);
    else {
      const next = nodeByKey(nodes, node, event.key, direction);
      if (next) this.focus(next);
      else if (!event.key.startsWith('Arrow')) return;
    }
    event.preventDefault();
  }

  private fit(): void {
    if (!this.layout) return;
    const { width, height } = this.layout;
    const scale = this.drawing.zoom ?? fittingZoom(this.layout, this.room());
    this.scale = scale;
    this.tree.style.transform = scale === 1 ? '' : `scale(${scale})`;
    this.tree.style.width = `${width}px`;
    this.tree.style.height = `${height}px`;
    this.sheet.style.width = `${Math.ceil(width * scale)}px`;
    this.sheet.style.height = `${Math.ceil(height * scale)}px`;
  }

  /** Shapes give way where the tree would not be seen whole with them; they are in every node's words, and below. */
  private contentOf({ nodes, hasStatistics, direction, zoom }: Drawing): NodeContent {
    if (hasStatistics) return 'numbers';
    if (zoom !== null) return 'shapes';
    const tree = layOut(nodes, nodeSizes(nodes, 'shapes', direction), direction);
    return isWhole(tree, this.room()) ? 'shapes' : 'names';
  }

  /** Pixels without scroll bars, which come and go with the size. */
  private room(): Size {
    return { width: this.element.offsetWidth, height: this.element.offsetHeight };
  }

  /** What is in the middle of the room, in the tree's own pixels. */
  private middle(): Spot {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.element;
    return { x: (scrollLeft + clientWidth / 2) / this.scale, y: (scrollTop + clientHeight / 2) / this.scale };
  }

  private lookAt({ x, y }: Spot): void {
    const { clientWidth, clientHeight } = this.element;
    this.element.scrollTo(x * this.scale - clientWidth / 2, y * this.scale - clientHeight / 2);
  }

  /** A tree that is too large to be seen whole is read from its root on, with as much to either side of it as there is room. */
  private toRoot(): void {
    const root = this.elements[0];
    if (!root || !this.layout) return;
    const { x, y } = this.layout.corners[0]!;
    const isRight = this.drawing.direction === 'right';
    this.lookAt(isRight ? { x: 0, y: y + root.offsetHeight / 2 } : { x: x + root.offsetWidth / 2, y: 0 });
  }
}

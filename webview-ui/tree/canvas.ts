import type { Direction } from '../../src/extension/tree/treeMessages.ts';
import { fill, h, svg } from '../shared/dom.ts';
import { layOut, type Layout } from './layout.ts';
import { nodeByKey } from './navigation.ts';
import { nodeElement, nodeSize } from './nodeElement.ts';
import type { TreeNode } from './nodes.ts';

export interface CanvasListeners {
  /** A node has the focus now, by the keyboard or by a click. */
  readonly onPick: (node: TreeNode) => void;
  /** The editor is asked for. */
  readonly onOpen: (node: TreeNode) => void;
}

export interface Drawing {
  /** The root first; none where there is no tree. */
  readonly nodes: readonly TreeNode[];
  /** Whether nodes have room for what they compute. */
  readonly hasStatistics: boolean;
  readonly direction: Direction;
  readonly fitted: boolean;
}

/** A tree drawn smaller than this could not be read. */
const SMALLEST = 0.1;

/** The tree itself: scrolls, or is made to fit; one node at a time takes part in the order of the Tab key. */
export class Canvas {
  readonly element = h('div', { class: 'canvas' });
  private readonly tree = h('div', { class: 'tree', role: 'tree' });
  /** As large as the tree is drawn, so that there is something to scroll. */
  private readonly sheet = h('div', { class: 'sheet' }, this.tree);
  private readonly listeners: CanvasListeners;
  private drawing: Drawing = { nodes: [], hasStatistics: false, direction: 'right', fitted: false };
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
    new ResizeObserver(() => {
      this.fit();
    }).observe(this.element);
  }

  /** @param label of the tree, for a screen reader */
  draw(drawing: Drawing, label: string): void {
    const { nodes, hasStatistics, direction } = drawing;
    const hadFocus = this.tree.contains(document.activeElement);
    const isSameTree = nodes.length === this.drawing.nodes.length;
    const isMoved = !isSameTree || direction !== this.drawing.direction || drawing.fitted !== this.drawing.fitted;
    this.drawing = drawing;
    if (!isSameTree) this.active = 0;
    this.tree.setAttribute('aria-label', label);
    if (nodes.length === 0) {
      this.elements = [];
      this.layout = undefined;
      fill(this.tree);
      return;
    }
    const size = nodeSize(nodes, hasStatistics);
    const layout = layOut(nodes, size, direction);
    this.layout = layout;
    const lines = svg('svg', { class: 'links', width: layout.width, height: layout.height, 'aria-hidden': 'true' });
    for (const d of layout.links) lines.append(svg('path', { d }));
    this.elements = nodes.map((node, index) => {
      const pick = (picked: TreeNode): void => {
        this.focus(picked);
      };
      const element = nodeElement(node, hasStatistics, size, { onPick: pick, onOpen: this.listeners.onOpen });
      element.style.left = `${layout.corners[index]!.x}px`;
      element.style.top = `${layout.corners[index]!.y}px`;
      return element;
    });
    fill(this.tree, lines, ...this.elements);
    this.fit();
    this.mark();
    // The root of a wide tree stands far from the corner.
    if (isMoved) this.elements[this.active]?.scrollIntoView({ block: 'center', inline: 'center' });
    if (hadFocus) this.elements[this.active]?.focus({ preventScroll: true });
  }

  /** Outlines the node of the cursor and brings it into view. */
  outline(node: number | null): void {
    this.outlined = node;
    if (node !== null && node < this.elements.length) {
      // The editor follows the keyboard in here, and says so late: it is not to take the keyboard back to where that was.
      if (!document.hasFocus() || !this.tree.contains(document.activeElement)) this.active = node;
      this.elements[node]!.scrollIntoView({ block: 'nearest', inline: 'nearest' });
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
    const { clientWidth, clientHeight } = this.element;
    const share = Math.min(clientWidth / width, clientHeight / height);
    const scale = this.drawing.fitted ? Math.max(SMALLEST, Math.min(1, share)) : 1;
    this.tree.style.transform = scale === 1 ? '' : `scale(${scale})`;
    this.tree.style.width = `${width}px`;
    this.tree.style.height = `${height}px`;
    this.sheet.style.width = `${Math.ceil(width * scale)}px`;
    this.sheet.style.height = `${Math.ceil(height * scale)}px`;
  }
}
